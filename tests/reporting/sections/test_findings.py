"""Findings: how many samples have each, and the list of flagged samples."""

import pandas as pd
import pytest

from albedo_pipeline.preprocessing.audit import summary_of
from albedo_pipeline.reporting.sections.findings import MAX_EXAMPLES, findings, flagged_samples
from tests.support.report_tables import audit_rows

SUSPICION = "albedo: declared linear, but stored in 8 bits, as encoded images are"


def test_masked_targets_are_findings_that_an_earlier_audit_does_not_have(rows) -> None:
    plain = summary_of(rows)["flags"]
    assert [plain[name] for name in ("masked_above", "masked_black", "masked_ids")] == [0, 0, 0]
    rows = rows.assign(masked_above_share=0.0, masked_black_share=0.0, masked_id_share=0.0)
    rows.loc[50:51, "masked_black_share"] = 0.02
    found = {item.name: item.samples for item in findings(rows, summary_of(rows))}
    assert found["Masked: black target under a bright beauty"] == 2
    listed = {item.sample_id: item.findings for item in flagged_samples(rows)[0]}
    assert listed["s050"] == ["masked, black: 2.0 %"]


@pytest.fixture
def rows() -> pd.DataFrame:
    """200 samples, s000 … s199, some with findings."""
    rows = audit_rows([f"s{n:03d}" for n in range(200)], ["train"] * 150 + ["test"] * 50)
    rows.loc[10:19, "beauty_clipped_share"] = 0.15
    rows.loc[20, "colour_suspicion"] = SUSPICION
    rows.loc[160, ["duplicate_of", "leak"]] = ["s003", True]
    rows.loc[20:21, ["shift_x", "shift_y"]] = [3.0, -1.0]
    rows.loc[30, "albedo_implausible_share"] = 0.25
    rows.loc[40, "exposure"] = 2e4
    return rows


def test_findings_are_sorted_by_severity_and_then_by_number(rows) -> None:
    found = findings(rows, summary_of(rows))
    assert [(f.name, f.samples, f.share, f.severity) for f in found if f.samples] == [
        ("Leaks between splits", 1, "0.50 %", "serious"),
        ("Doubtful colour space", 1, "0.50 %", "serious"),
        ("Albedo shifted against the beauty", 2, "1.0 %", "harmful"),
        ("Implausible albedo", 1, "0.50 %", "harmful"),
        ("Exact duplicates", 1, "0.50 %", "harmful"),
        ("Clipped beauty", 10, "5.0 %", "check"),
        ("Nearly black beauty", 1, "0.50 %", "check"),
    ]
    assert all(item.advice for item in found)
    clipped = next(item for item in found if item.name == "Clipped beauty")
    assert clipped.examples == [f"s{n:03d}" for n in range(10, 10 + MAX_EXAMPLES)]


def test_a_summary_without_flags_is_counted_from_the_rows(rows) -> None:
    summary = summary_of(rows)
    flags = summary.pop("flags")
    assert findings(rows, summary) == findings(rows, {"flags": flags})


def test_a_frequent_harmless_finding_comes_after_a_rare_serious_one(rows) -> None:
    found = findings(rows, {"flags": {"negative": 200, "near_duplicates": 3, "leaks": 1}})
    wanted = ("Negative pixels", "Near duplicates", "Leaks between splits")
    assert [f.samples for f in found if f.name in wanted] == [1, 3, 200]


def test_an_unknown_finding_comes_last(rows) -> None:
    found = findings(rows, {"flags": {"too_dull": 7}})
    assert (found[-1].name, found[-1].samples, found[-1].examples) == ("too dull", 7, [])


def test_a_flagged_sample_is_listed_once_with_all_its_findings(rows) -> None:
    listed, total = flagged_samples(rows)
    assert total == len(listed) == 15
    assert [item.sample_id for item in listed[:4]] == ["s160", "s020", "s021", "s030"]
    assert listed[0].findings == ["repeats a sample of the train split", "identical to s003"]
    assert listed[1].findings == [SUSPICION, "albedo shifted by (3, -1) px"]
    assert listed[4].findings == ["exposure × 2e+04"]
    assert listed[-1].findings == ["beauty clipped: 15.0 %"]
    assert listed[3].findings == ["implausible albedo: 25.0 %"]
