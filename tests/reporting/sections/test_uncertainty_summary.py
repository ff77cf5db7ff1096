"""The sentence about the uncertainty."""

import pytest

from albedo_pipeline.reporting.sections.uncertainty_summary import uncertainty_sentence
from tests.support.report_tables import METRIC_NAMES, distinct_metrics


@pytest.mark.parametrize(
    ("area", "text"),
    [
        (0.06, "gains 80 % of what sorting them by their true error would gain (AURC 0.060)."),
        (0.05, "gains 100 %"),
        (0.10, "no better than chance"),
        (0.12, "no better than chance"),
    ],
)
def test_the_uncertainty_is_rated_between_random_order_and_oracle(area: float, text: str) -> None:
    scores = distinct_metrics(METRIC_NAMES, aurc=area, aurc_oracle=0.05, aurc_random=0.10)["test"]
    assert text in uncertainty_sentence(scores)


def test_without_an_ensemble_there_is_no_sentence() -> None:
    assert uncertainty_sentence(distinct_metrics(METRIC_NAMES)["test"]) == ""


def test_equal_errors_cannot_be_sorted() -> None:
    same = distinct_metrics(METRIC_NAMES, aurc=0.1, aurc_oracle=0.1, aurc_random=0.1)["test"]
    assert "the same error" in uncertainty_sentence(same)
