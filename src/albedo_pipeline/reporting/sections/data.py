"""The section "Data": texts and tables about the samples, without the figures."""

from dataclasses import dataclass

import pandas as pd

from albedo_pipeline.preprocessing.split_rules import HASH_RULE
from albedo_pipeline.reporting.formatting import count, percentage, plain, spaced
from albedo_pipeline.reporting.run_info import (
    LabelledValue,
    QuarantineReason,
    quarantine_reasons,
    quarantined_samples,
)
from albedo_pipeline.reporting.sections.findings import (
    Finding,
    FlaggedSample,
    findings,
    flagged_samples,
)
from albedo_pipeline.runtime.companions import EXAMPLES

MAX_NAMED = 3
"""Number of different sizes or file types that are named; the others are counted together."""


@dataclass(frozen=True)
class DataSection:
    """Content of the section. Numbers are text; nothing is escaped yet."""

    overview: str
    details: list[LabelledValue]
    """Sizes, file types and colour spaces, each with its number of samples."""
    findings: list[Finding]
    """Findings that at least one sample has."""
    not_found: list[str]
    """Names of the findings that no sample has."""
    flagged: list[FlaggedSample]
    """The first samples with findings."""
    flagged_total: int
    """Number of samples with findings, listed or not."""
    splits: list[tuple[str, str, str, str]]
    """(name, samples, share of all samples, groups) of each split; the last row is the total."""
    split_note: str
    """What put the samples into the splits."""
    ranges: list[tuple[str, str, str, str]]
    """(name, lowest, median, highest) of each recorded value."""
    quarantined: int
    """Number of quarantined samples."""
    reasons: list[QuarantineReason]
    quarantine: list[tuple[str, str, str]]
    """(sample_id, group, reason) of the first quarantined samples."""


def data_section(audit: pd.DataFrame, summary: dict, quarantine: pd.DataFrame) -> DataSection:
    """Describe the data.

    Args:
        audit: one row per sample, as `preprocessing.audit.audit_of` returns it.
        summary: totals of the audit. If it lacks the number of samples or of findings, they are
            counted in the rows of `audit`.
        quarantine: one row per quarantined sample: sample_id, group and reason.
    """
    used = audit[audit["reason"] == ""]
    all_findings = findings(used, summary)
    flagged, flagged_total = flagged_samples(used)
    samples = summary.get("samples", len(used))
    quarantined = summary.get("quarantined", len(audit) - len(used))
    return DataSection(
        overview=_overview(used, samples, quarantined, flagged_total, summary.get("companions", 0)),
        details=_details(used),
        findings=[item for item in all_findings if item.samples],
        not_found=[item.name for item in all_findings if not item.samples],
        flagged=flagged,
        flagged_total=flagged_total,
        splits=_splits(summary, samples),
        split_note=_split_note(summary),
        ranges=_ranges(summary),
        quarantined=quarantined,
        reasons=quarantine_reasons(quarantine),
        quarantine=quarantined_samples(quarantine),
    )


def _overview(
    used: pd.DataFrame, samples: int, quarantined: int, flagged: int, companions: int
) -> str:
    findings_text = f"findings for {count(flagged, 'sample')}" if flagged else "no findings"
    quarantine_text = f"holds {count(quarantined, 'more sample')}" if quarantined else "is empty"
    companions_text = (
        f" Passed over {count(companions, 'companion file')} ({EXAMPLES})." if companions else ""
    )
    return (
        f"{count(samples, 'sample')} in {count(used['group'].nunique(), 'group')}. "
        f"The audit reports {findings_text}, and the quarantine {quarantine_text}."
        f"{companions_text}"
    )


def _details(used: pd.DataFrame) -> list[LabelledValue]:
    return [
        ("Source size, px", _value_counts(_sizes(used, "source_width", "source_height"))),
        ("Stored size, px", _value_counts(_sizes(used, "width", "height"))),
        ("Beauty files", _value_counts(used["beauty_type"] + ", " + used["beauty_space"])),
        ("Albedo files", _value_counts(used["albedo_type"] + ", " + used["albedo_space"])),
    ]


def _sizes(used: pd.DataFrame, width: str, height: str) -> pd.Series:
    """`1920 × 1080` for each row whose size is known."""
    known = used[(used[width] > 0) & (used[height] > 0)]
    return known[width].astype(int).astype(str) + " × " + known[height].astype(int).astype(str)


def _value_counts(values: pd.Series) -> str:
    """`half, linear (1,200); uint8, srgb (800); 4 others (12)`."""
    counts = values.value_counts()
    names = [str(value).strip(", ") or "not recorded" for value in counts.index[:MAX_NAMED]]
    texts = [f"{name} ({number:,})" for name, number in zip(names, counts, strict=False)]
    if len(counts) > MAX_NAMED:
        texts.append(f"{count(len(counts) - MAX_NAMED, 'other')} ({counts[MAX_NAMED:].sum():,})")
    return "; ".join(texts) or "not recorded"


def _splits(summary: dict, samples: int) -> list[tuple[str, str, str, str]]:
    rows = [(name, n.get("samples"), n.get("groups")) for name, n in _items(summary, "splits")]
    all_groups = sum(groups or 0 for _, _, groups in rows)
    return [
        (
            name,
            _count_text(number),
            percentage((number or 0) / max(samples, 1)),
            _count_text(groups),
        )
        for name, number, groups in (*rows, ("all", samples, all_groups))
    ]


def _split_note(summary: dict) -> str:
    rules = summary.get("split_rules", {})
    if set(rules.values()) <= {HASH_RULE}:
        return "All samples of a group are in the same split."
    note = "; ".join(f"{split}: {rule}" for split, rule in rules.items())
    return (
        f"Published split. {note}. Samples in no split, left out: {summary.get('left_out', 0):,}."
    )


def _count_text(number: int | None) -> str:
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
