"""The order of the samples, and the ranks that are shown."""

import numpy as np
import pandas as pd
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.reporting.sections.ranking import (
    evenly_spaced_ranks,
    ranked_samples,
    ranking_metric,
)


@pytest.mark.parametrize(
    ("count", "chosen"), [(1, 12), (2, 12), (3, 3), (48, 12), (7, 1), (100, 5)]
)
def test_the_ranks_include_both_ends_and_the_median(count: int, chosen: int) -> None:
    ranks = evenly_spaced_ranks(count, chosen)
    assert ranks == sorted(set(ranks))
    assert {0, count - 1} <= set(ranks)
    assert count < 3 or count // 2 in ranks


def test_the_psnr_of_another_protocol_ranks_the_same(report_inputs) -> None:
    table = report_inputs(12)["per_sample"]
    renamed = table.rename(columns={"psnr": "marigold_psnr"}).drop(columns="ssim")
    expected = ranked_samples(table, "test")["sample_id"].tolist()
    assert ranked_samples(renamed, "test")["sample_id"].tolist() == expected


def test_a_table_without_main_metrics_is_ranked_by_its_first_column() -> None:
    values = {"of_someone": [1.0, 3.0, np.nan, 2.0], "si_mse": [1.0, 2.0, 3.0, 4.0]}
    table = pd.DataFrame({"sample_id": list("abcd"), **values})
    table = table.assign(split="test", method="model")
    assert ranking_metric(table) == "of_someone"
    assert ranked_samples(table, "test")["sample_id"].tolist() == list("bdac")  # higher is better
    errors = table.drop(columns="of_someone")
    assert ranked_samples(errors, "test")["sample_id"].tolist() == list("abcd")
    with pytest.raises(ProjectError, match="no metric to rank the samples by"):
        ranking_metric(errors.drop(columns="si_mse"))
