"""The section on data: overview, totals, and bounds for large data."""

import time

import numpy as np
import pandas as pd
import pytest

from albedo_pipeline.preprocessing.audit import summary_of
from albedo_pipeline.reporting.plots.data import data_figure
from albedo_pipeline.reporting.plots.themes import light_and_dark
from albedo_pipeline.reporting.sections.data import data_section
from albedo_pipeline.reporting.sections.findings import MAX_FLAGGED
from tests.support.report_tables import audit_rows, quarantine_rows


def some_rows() -> pd.DataFrame:
    """200 samples, ten of them clipped."""
    rows = audit_rows([f"s{n:03d}" for n in range(200)], ["train"] * 150 + ["test"] * 50)
    rows.loc[10:19, "beauty_clipped_share"] = 0.15
    return rows


def test_the_section_counts_samples_groups_sizes_and_splits() -> None:
    rows = some_rows()
    rows.loc[0:49, ["source_width", "source_height"]] = [1920, 1080]
    section = data_section(rows, summary_of(rows), quarantine_rows(0))
    assert section.overview == (
        "200 samples in 100 groups. The audit reports findings for 10 samples, and the quarantine "
        "is empty."
    )
    assert dict(section.details)["Source size, px"] == "1024 × 1024 (150); 1920 × 1080 (50)"
    assert dict(section.details)["Albedo files"] == "half, linear (200)"
    assert section.splits[0] == ("train", "150", "75.0 %", "75")
    assert section.splits[-1] == ("all", "200", "100 %", "100")
    assert "Negative pixels" in section.not_found
    assert section.split_note == "All samples of a group are in the same split."


def test_the_section_names_the_rule_of_a_published_split() -> None:
    rows = some_rows()
    rules = {"train": "list a.txt, by group, digest 0", "test": "list b.txt, by group, digest 1"}
    summary = summary_of(rows) | {"split_rules": rules, "left_out": 1200}
    assert data_section(rows, summary, quarantine_rows(0)).split_note == (
        "Published split. train: list a.txt, by group, digest 0; test: list b.txt, by group, "
        "digest 1. Samples in no split, left out: 1,200."
    )


def test_the_overview_counts_quarantined_samples() -> None:
    rows = audit_rows(["a", "b"], ["train", "test"], quarantine_rows(1))
    section = data_section(rows, summary_of(rows), quarantine_rows(1))
    assert section.overview.endswith("no findings, and the quarantine holds 1 more sample.")


@pytest.mark.slow
def test_a_hundred_thousand_samples_make_a_short_section_in_seconds() -> None:
    count = 100_000
    rows = audit_rows([f"s{n}" for n in range(count)], ["train"] * count, quarantine_rows(5_000))
    random = np.random.default_rng(0)
    used = rows["reason"] == ""
    for name in ("source_width", "source_height"):
        rows.loc[used, name] = random.integers(300, 9000, count)
    rows.loc[used, "beauty_clipped_share"] = random.uniform(0, 1, count)
    start = time.process_time()
    section = data_section(rows, summary_of(rows), quarantine_rows(5_000))
    plots = [
        light_and_dark(lambda theme, columns=columns: data_figure(rows[used], theme, columns))
        for columns in (3, 1)
    ]
    assert time.process_time() - start < 15
    assert section.flagged_total > 90_000
    assert len(section.flagged) == MAX_FLAGGED
    assert sum(len(uri) for plot in plots for uri in plot.values()) < 2_000_000


def test_one_sample_without_recorded_values_is_described() -> None:
    missing = dict.fromkeys(("exposure", "albedo_mean", "valid_share"), np.nan)
    rows = audit_rows(["only"], ["train"]).assign(**missing, source_width=0)
    section = data_section(rows, {"unknown": {"a": [1]}}, quarantine_rows(0))
    assert section.overview.startswith("1 sample in 1 group. The audit reports no findings")
    assert section.splits == [("all", "1", "100 %", "0")]
    assert dict(section.details)["Source size, px"] == "not recorded"
