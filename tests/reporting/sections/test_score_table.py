"""Tables of the scores: the best method, and groups of metrics."""

from albedo_pipeline.reporting.sections.score_table import (
    all_split_scores,
    score_table,
    split_scores,
)
from tests.support.report_tables import METRIC_NAMES, distinct_metrics, psnr_metrics, score


def test_the_table_puts_the_ceiling_last_and_never_in_bold() -> None:
    table = score_table(psnr_metrics(18), "test")
    assert [row.kind for row in table.rows] == ["model", "other", "baseline", "ceiling"]
    assert [row.cells[0].best for row in table.rows] == [False, False, True, False]
    assert table.rows[1].method.name == "my_own_method"
    assert table.columns == [("PSNR", "dB", "↑ higher is better")]


def test_a_metric_of_unknown_direction_has_no_best_method() -> None:
    table = score_table({"test": {"model": {"strange": score(1)}}}, "test")
    assert table.columns == [("strange", "", "")]
    assert not table.rows[0].cells[0].best


def test_all_metrics_are_grouped_and_the_main_ones_come_first() -> None:
    table = split_scores(distinct_metrics(METRIC_NAMES, aurc=0.1), "test", "test")
    assert [row.name for row in table.main] == ["psnr"]
    assert {title: [row.name for row in rows] for title, rows in table.groups} == {
        "As predicted, over the valid pixels": ["psnr", "si_mse"],
        "Aligned in scale, over the valid pixels": ["psnr_aligned"],
        "As predicted, over all pixels, masked ones included": ["psnr_unmasked", "si_mse_unmasked"],
        "Aligned in scale, over all pixels, masked ones included": ["psnr_aligned_unmasked"],
    }
    assert [row.name for row in table.model_only] == ["aurc"]


def test_without_other_metrics_than_the_main_ones_there_are_no_groups() -> None:
    assert split_scores(distinct_metrics(["psnr", "ssim"]), "test", "test").groups == []


def test_the_tables_of_further_sets_come_last() -> None:
    own = psnr_metrics(18) | {"train": psnr_metrics(19)["test"]}
    other = psnr_metrics(12) | {"protocol": {"fingerprint": "0123456789ab"}}
    tables = all_split_scores(own | {"sets": {"interiors": other}})
    assert [table.title for table in tables] == ["test", "train", "interiors: test"]
    assert tables[2].fingerprint == "0123456789ab"
    assert tables[2].rows == split_scores(other, "test", "").rows != tables[0].rows
