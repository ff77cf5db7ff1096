"""Findings of the audit: how many samples have each, what it means, and which samples."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from albedo_pipeline.preprocessing.audit import CLIPPED_ALBEDO, CLIPPED_BEAUTY, IMPLAUSIBLE, flags
from albedo_pipeline.reporting.formatting import finite, percentage, spaced

MAX_EXAMPLES, MAX_FLAGGED = 5, 100
"""Largest number of samples named for each finding, and of flagged samples in their table."""
SERIOUS = ("leaks", "colour_suspicion")
"""Keys of the findings that make scores or training wrong."""


@dataclass(frozen=True)
class Finding:
    """One row of the table of findings, as text."""

    name: str
    serious: bool
    samples: int
    """Number of samples that have the finding."""
    share: str
    """Their share of the samples in use."""
    advice: str
    """What the finding means and what to do about it; empty for a finding unknown here."""
    examples: list[str]
    """sample_id of the first samples that have it."""


@dataclass(frozen=True)
class FlaggedSample:
    """A sample with findings."""

    sample_id: str
    split: str
    findings: list[str]


_DESCRIPTIONS = {
    "leaks": (
        "Leaks between splits",
        "The same picture stands in two splits, so scores flatter the model: "
        "put both samples into one group, or remove one.",
    ),
    "colour_suspicion": (
        "Colour space in doubt",
        "The pixels speak against the declared colour space: correct it in the catalog, "
        "as everything learned from such a pair is wrong.",
    ),
    "misregistered": (
        "Albedo moved against the beauty",
        "Their edges do not meet, so the model learns to blur: align the two again.",
    ),
    "implausible_albedo": (
        "Implausible albedo",
        f"More than {100 * IMPLAUSIBLE:g} % of the valid pixels are darker than charcoal or "
        "brighter than snow: check what the pass holds, and its scale.",
    ),
    "exact_duplicates": (
        "Exact duplicates",
        "All pixels are those of another sample, which so counts twice: remove one.",
    ),
    "near_duplicates": (
        "Near duplicates",
        "The beauty looks like one of another group: if the scene is the same, make it one group.",
    ),
    "nonfinite": (
        "NaN or infinite pixels",
        "They are masked and do no harm; where they are many, look for the fault in the render.",
    ),
    "negative": (
        "Negative pixels",
        "They are masked and do no harm; a filter that overshoots is the usual cause.",
    ),
    "clipped_albedo": (
        "Clipped albedo",
        f"More than {100 * CLIPPED_ALBEDO:g} % of the valid pixels pass 1, which no diffuse "
        "surface does: look for emission, or a wrong scale.",
    ),
    "clipped_beauty": (
        "Clipped beauty",
        f"More than {100 * CLIPPED_BEAUTY:g} % of the valid pixels have a channel above 1 after "
        "exposure: usual for lights in view; else lower the target of ingest.exposure.",
    ),
}
"""Name and advice of every known finding, the most serious first."""

_SAMPLE_TEXTS = {
    "leaks": lambda row: f"repeats a sample of {row.repeated_split}",
    "colour_suspicion": lambda row: str(row.colour_suspicion),
    "misregistered": lambda row: f"albedo moved by ({row.shift_x:g}, {row.shift_y:g}) px",
    "implausible_albedo": lambda row: (
        f"implausible albedo: {percentage(row.albedo_implausible_share)}"
    ),
    "exact_duplicates": lambda row: f"the same as {row.duplicate_of}",
    "near_duplicates": lambda row: f"looks like {row.near_duplicate_of}",
    "nonfinite": lambda row: f"NaN or infinite: {percentage(row.nonfinite_share)}",
    "negative": lambda row: f"negative: {percentage(row.negative_share)}",
    "clipped_albedo": lambda row: f"albedo clipped: {percentage(row.albedo_clipped_share)}",
    "clipped_beauty": lambda row: f"beauty clipped: {percentage(row.beauty_clipped_share)}",
}
"""Text about one sample for every known finding."""


def findings(used: pd.DataFrame, summary: dict) -> list[Finding]:
    """Every finding the audit checks for, the most serious first; unknown ones last.

    Args:
        used: rows of the audit that are not quarantined.
        summary: totals of the audit. If it does not count the findings, they are counted in the
            rows.
    """
    flagged = flags(used)
    counts = {key: int(rows.sum()) for key, rows in flagged.items()}
    counts |= {key: int(n) for key, n in (summary.get("flags") or {}).items() if finite(n)}
    known = [key for key in _DESCRIPTIONS if key in counts]
    return [
        _finding(key, counts[key], used, flagged.get(key))
        for key in (*known, *(key for key in counts if key not in _DESCRIPTIONS))
    ]


def flagged_samples(used: pd.DataFrame) -> tuple[list[FlaggedSample], int]:
    """The first `MAX_FLAGGED` samples with findings, and the number of all samples with findings.

    They are sorted by their most serious finding, then by how many they have.
    """
    flagged = flags(used)
    keys = [key for key in _DESCRIPTIONS if key in flagged]
    table = np.stack([flagged[key].to_numpy(bool) for key in keys], axis=1)
    rows = np.flatnonzero(table.any(axis=1))
    worst, number = table[rows].argmax(axis=1), table[rows].sum(axis=1)
    shown = rows[np.lexsort((rows, -number, worst))][:MAX_FLAGGED]
    samples = _with_repeated_split(used, used.iloc[shown]).itertuples()
    listed = [
        FlaggedSample(
            str(sample.sample_id),
            str(sample.split),
            [_SAMPLE_TEXTS[key](sample) for key, has in zip(keys, row, strict=True) if has],
        )
        for sample, row in zip(samples, table[shown], strict=True)
    ]
    return listed, len(rows)


def _finding(key: str, samples: int, used: pd.DataFrame, rows: pd.Series | None) -> Finding:
    name, advice = _DESCRIPTIONS.get(key, (spaced(key), ""))
    examples = [] if rows is None else used.loc[rows, "sample_id"].head(MAX_EXAMPLES)
    return Finding(
        name=name,
        serious=key in SERIOUS,
        samples=samples,
        share=percentage(samples / len(used) if len(used) else np.nan),
        advice=advice,
        examples=[str(sample_id) for sample_id in examples],
    )


def _with_repeated_split(used: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """The rows with the column `repeated_split`: the split of the sample that each one repeats."""
    repeated = shown["duplicate_of"].where(shown["duplicate_of"] != "", shown["near_duplicate_of"])
    known = used.loc[used["sample_id"].isin(set(repeated)), ["sample_id", "split"]]
    splits = dict(zip(known["sample_id"], known["split"], strict=True))
    return shown.assign(repeated_split=[splits.get(name, "another split") for name in repeated])
