"""The report's content: numbers, chosen samples, escaping, size, no requests."""

import re

import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.provenance.lineage import check_predictions
from albedo_pipeline.reporting.report import report_page
from albedo_pipeline.reporting.sections.ranking import evenly_spaced_ranks, ranked_samples

HOSTILE = "<img src=x onerror=alert(1)>\"&'"


@pytest.fixture(scope="module")
def plain(make, page_of) -> tuple[dict, str]:
    """Inputs of a page, not to be changed, and the page."""
    inputs = make()
    return inputs, page_of(inputs)


def test_the_table_shows_the_means_of_metrics_json(plain) -> None:
    inputs, page = plain
    for method, scores in inputs["metrics"]["test"].items():
        if method != "n":
            assert f"{scores['psnr']['mean']:.2f}" in page, method
    assert inputs["metrics"]["protocol"]["fingerprint"] in page


def test_best_median_and_worst_are_always_shown(make, page_of) -> None:
    inputs = make(gallery=3)
    page = page_of(inputs)
    order = ranked_samples(inputs["per_sample"], "test")["sample_id"].tolist()
    for sample_id in (order[0], order[len(order) // 2], order[-1]):
        assert sample_id in page


@pytest.mark.parametrize(("count", "shown"), [(1, 12), (2, 12), (3, 3), (48, 12), (7, 1), (100, 5)])
def test_a_spread_has_both_ends_and_the_middle(count: int, shown: int) -> None:
    ranks = evenly_spaced_ranks(count, shown)
    assert ranks == sorted(set(ranks))
    assert {0, count - 1} <= set(ranks)
    assert count < 3 or count // 2 in ranks


def test_a_file_name_is_never_markup(make, page_of) -> None:
    inputs = make([f"{HOSTILE}{number}" for number in range(8)])
    inputs["quarantine"].loc[0, "reason"] = HOSTILE
    page = page_of(inputs)
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_it_is_one_small_file_that_asks_for_nothing(make) -> None:
    page = report_page(**make(24, side=64, gallery=12))
    assert len(page.encode()) < 15_000_000
    links = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", page)
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    assert not re.search(r"@import|url\((?![\"']?data:)", page)


def test_a_scored_sample_without_a_prediction_is_an_error(make, page_of) -> None:
    inputs = make()
    inputs["per_sample"] = inputs["per_sample"].replace({"sample_id": {"view_000": "gone"}})
    with pytest.raises(ProjectError, match="no prediction of sample 'gone'"):
        page_of(inputs)


def test_the_same_numbers_worse_than_a_baseline_are_told_so(make, page_of, plain) -> None:
    inputs = make()
    scores = inputs["metrics"]["test"]
    scores["model"], scores["beauty_as_albedo"] = scores["beauty_as_albedo"], scores["model"]
    pages = plain[1], page_of(inputs)
    headlines = [re.search(r'class="headline">(.*?)</p>', p, re.DOTALL)[1] for p in pages]
    assert headlines[0] != headlines[1]


@pytest.mark.parametrize("lineage", [{}, {"predictions": "0"}, None, "damaged"])
def test_numbers_of_other_predictions_are_refused(plain, lineage) -> None:
    predictions = plain[0]["predictions"]
    check_predictions(
        {"lineage": {"predictions": predictions.fingerprint()}}, predictions.fingerprint()
    )
    with pytest.raises(ProjectError, match="metrics: measured on other predictions; run the"):
        check_predictions({"lineage": lineage}, predictions.fingerprint())
