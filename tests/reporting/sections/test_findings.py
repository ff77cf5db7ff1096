"""The section on data: findings, flagged samples, totals; escaped and bounded."""

import time

import numpy as np
import pandas as pd
import pytest

from albedo_pipeline.preprocessing.audit import summary_of
from albedo_pipeline.reporting.formatting import percentage
from albedo_pipeline.reporting.plots.data import data_figure
from albedo_pipeline.reporting.plots.themes import light_and_dark
from albedo_pipeline.reporting.sections.data import data_section
from albedo_pipeline.reporting.sections.findings import (
    MAX_EXAMPLES,
    MAX_FLAGGED,
    findings,
    flagged_samples,
)

DOUBT = "albedo: declared linear, but stored in 8 bits, as encoded images are"


@pytest.fixture
def spoilt(audit_rows) -> pd.DataFrame:
    """200 samples, s000 … s199, some with findings."""
    rows = audit_rows([f"s{n:03d}" for n in range(200)], ["train"] * 150 + ["test"] * 50)
    rows.loc[10:19, "beauty_clipped_share"] = 0.15
    rows.loc[20, "colour_suspicion"] = DOUBT
    rows.loc[160, ["duplicate_of", "leak"]] = ["s003", True]
    rows.loc[20:21, ["shift_x", "shift_y"]] = [3.0, -1.0]
    rows.loc[30, "albedo_implausible_share"] = 0.25
    return rows


def test_findings_are_counted_and_named_the_most_serious_first(spoilt) -> None:
    found = findings(spoilt, summary_of(spoilt))
    assert [(f.name, f.samples, f.share, f.serious) for f in found if f.samples] == [
        ("Leaks between splits", 1, "0.50 %", True),
        ("Colour space in doubt", 1, "0.50 %", True),
        ("Albedo moved against the beauty", 2, "1.0 %", False),
        ("Implausible albedo", 1, "0.50 %", False),
        ("Exact duplicates", 1, "0.50 %", False),
        ("Clipped beauty", 10, "5.0 %", False),
    ]
    assert all(item.advice for item in found)
    clipped = found[-1]
    assert clipped.examples == [f"s{n:03d}" for n in range(10, 10 + MAX_EXAMPLES)]


def test_without_flags_the_rows_are_counted_and_unknown_ones_come_last(spoilt) -> None:
    summary = summary_of(spoilt)
    flags = summary.pop("flags")
    assert findings(spoilt, summary) == findings(spoilt, {"flags": flags})
    more = findings(spoilt, {"flags": {"too_dull": 7}})
    assert (more[-1].name, more[-1].samples, more[-1].examples) == ("too dull", 7, [])


def test_a_flagged_sample_is_listed_once_with_all_its_findings(spoilt) -> None:
    listed, total = flagged_samples(spoilt)
    assert total == len(listed) == 14
    assert [item.sample_id for item in listed[:4]] == ["s160", "s020", "s021", "s030"]
    assert listed[0].findings == ["repeats a sample of train", "the same as s003"]
    assert listed[1].findings == [DOUBT, "albedo moved by (3, -1) px"]
    assert listed[3].findings == ["implausible albedo: 25.0 %"]


def test_the_section_says_what_there_is(spoilt) -> None:
    spoilt.loc[0:49, ["source_width", "source_height"]] = [1920, 1080]
    section = data_section(spoilt, summary_of(spoilt), _quarantine(0))
    assert section.overview == (
        "200 samples in 100 groups, 14 of them with findings; 0 more set aside."
    )
    assert dict(section.details)["Source size, px"] == "1024 × 1024 (150); 1920 × 1080 (50)"
    assert dict(section.details)["Albedo files"] == "half, linear (200)"
    assert section.splits[0] == ("train", "150", "75.0 %", "75")
    assert section.splits[-1] == ("all", "200", "100 %", "100")
    assert "Negative pixels" in section.not_found


def test_a_hundred_thousand_samples_stay_a_short_page_made_fast(audit_rows) -> None:
    count = 100_000
    rows = audit_rows([f"s{n}" for n in range(count)], ["train"] * count, _quarantine(5_000))
    random = np.random.default_rng(0)
    used = rows["reason"] == ""
    for name in ("source_width", "source_height"):
        rows.loc[used, name] = random.integers(300, 9000, count)
    rows.loc[used, "beauty_clipped_share"] = random.uniform(0, 1, count)
    began = time.process_time()
    section = data_section(rows, summary_of(rows), _quarantine(5_000))
    plots = [light_and_dark(lambda theme, n=n: data_figure(rows[used], theme, n)) for n in (3, 1)]
    assert time.process_time() - began < 15
    assert section.flagged_total > 90_000
    assert len(section.flagged) == MAX_FLAGGED
    assert sum(len(uri) for plot in plots for uri in plot.values()) < 2_000_000


def test_one_sample_and_columns_without_a_number_are_no_obstacle(audit_rows) -> None:
    missing = dict.fromkeys(("exposure", "albedo_mean", "valid_share"), np.nan)
    rows = audit_rows(["only"], ["train"]).assign(**missing, source_width=0)
    section = data_section(rows, {"unknown": {"a": [1]}}, _quarantine(0))
    assert section.overview.startswith("1 sample in 1 group, none of them with findings")
    assert section.splits == [("all", "1", "100 %", "0")]
    assert dict(section.details)["Source size, px"] == "not recorded"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1e-6, "< 0.01 %"), (0.007, "0.70 %"), (0.5, "50.0 %"), (1, "100 %"), (None, "–")],
)
def test_shares_are_written_as_percentages(share: float | None, text: str) -> None:
    assert percentage(share) == text


def _quarantine(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sample_id": [f"bad/{n}" for n in range(count)],
            "group": ["bad"] * count,
            "reason": ["beauty is black"] * count,
        },
        dtype="str",
    )
