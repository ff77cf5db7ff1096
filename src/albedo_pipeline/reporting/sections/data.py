"""All that the section "Data" of the page says."""

from dataclasses import dataclass

import pandas as pd

from albedo_pipeline.reporting.formatting import count, percentage, plain, spaced
from albedo_pipeline.reporting.run_info import Fact, Reason, reasons, set_aside
from albedo_pipeline.reporting.sections.findings import Finding, Flagged, findings, flagged

KINDS = 3
"""Kinds that are named one by one; the rest is counted."""


@dataclass(frozen=True)
class DataSection:
    """Numbers are text already; everything is still to be escaped."""

    overview: str
    facts: list[Fact]
    findings: list[Finding]
    absent: list[str]
    """Names of findings that were looked for, and not found."""
    flagged: list[Flagged]
    flagged_total: int
    splits: list[tuple[str, str, str, str]]
    """(name, samples, their share, groups); the last row is the total."""
    ranges: list[tuple[str, str, str, str]]
    """(name, lowest, median, highest)."""
    quarantined: int
    reasons: list[Reason]
    quarantine: list[tuple[str, str, str]]


def data_section(audit: pd.DataFrame, summary: dict, quarantine: pd.DataFrame) -> DataSection:
    """What is known of the data.

    Args:
        audit: one row a sample, with the columns of `ingestion.audit.audit_of`.
        summary: its totals; a key that is missing takes its part from the rows.
    """
    used = audit[audit["reason"] == ""]
    found = findings(used, summary)
    listed, total = flagged(used)
    samples = summary.get("samples", len(used))
    quarantined = summary.get("quarantined", len(audit) - len(used))
    return DataSection(
        overview=_overview(used, samples, quarantined, total),
        facts=_facts(used),
        findings=[item for item in found if item.samples],
        absent=[item.name for item in found if not item.samples],
        flagged=listed,
        flagged_total=total,
        splits=_splits(summary, samples),
        ranges=_ranges(summary),
        quarantined=quarantined,
        reasons=reasons(quarantine),
        quarantine=set_aside(quarantine),
    )


def _overview(used: pd.DataFrame, samples: int, quarantined: int, total: int) -> str:
    findings_of = f"{total:,} of them" if total else "none of them"
    return (
        f"{count(samples, 'sample')} in {count(used['group'].nunique(), 'group')}, "
        f"{findings_of} with findings; {quarantined:,} more set aside."
    )


def _facts(used: pd.DataFrame) -> list[Fact]:
    """Sizes, types and colour spaces, each with its samples."""
    return [
        ("Source size, px", _kinds(_sizes(used, "source_width", "source_height"))),
        ("Stored size, px", _kinds(_sizes(used, "width", "height"))),
        ("Beauty files", _kinds(used["beauty_type"] + ", " + used["beauty_space"])),
        ("Albedo files", _kinds(used["albedo_type"] + ", " + used["albedo_space"])),
    ]


def _sizes(used: pd.DataFrame, width: str, height: str) -> pd.Series:
    """`1920 × 1080` of each row; nothing where it is not known."""
    known = used[(used[width] > 0) & (used[height] > 0)]
    return known[width].astype(int).astype(str) + " × " + known[height].astype(int).astype(str)


def _kinds(values: pd.Series) -> str:
    """`half, linear (1,200); uint8, srgb (800); 4 others (12)`."""
    counts = values.value_counts()
    names = [str(kind).strip(", ") or "not recorded" for kind in counts.index[:KINDS]]
    parts = [f"{name} ({number:,})" for name, number in zip(names, counts, strict=False)]
    if len(counts) > KINDS:
        parts.append(f"{count(len(counts) - KINDS, 'other')} ({counts[KINDS:].sum():,})")
    return "; ".join(parts) or "not recorded"


def _splits(summary: dict, samples: int) -> list[tuple[str, str, str, str]]:
    rows = [(name, n.get("samples"), n.get("groups")) for name, n in _items(summary, "splits")]
    groups = sum(number or 0 for _, _, number in rows)
    return [
        (name, _counted(number), percentage((number or 0) / max(samples, 1)), _counted(of))
        for name, number, of in (*rows, ("all", samples, groups))
    ]


def _counted(number: int | None) -> str:
    return plain(number) if number is None else f"{number:,}"


def _ranges(summary: dict) -> list[tuple[str, str, str, str]]:
    return [
        (
            spaced(name),
            plain(values.get("min")),
            plain(values.get("median")),
            plain(values.get("max")),
        )
        for name, values in _items(summary, "ranges")
    ]


def _items(summary: dict, key: str) -> list[tuple[str, dict]]:
    return [(name, item) for name, item in summary.get(key, {}).items() if isinstance(item, dict)]
