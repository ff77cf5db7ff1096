"""What the audit found: how often, what it means, and in which samples."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from albedo_pipeline.preprocessing.audit import CLIPPED_ALBEDO, CLIPPED_BEAUTY, IMPLAUSIBLE, flags
from albedo_pipeline.reporting.formatting import finite, percentage, spaced

EXAMPLES, LISTED = 5, 100
"""Samples named for each finding; flagged samples in the table of them."""
SERIOUS = ("leaks", "colour_suspicion")


@dataclass(frozen=True)
class Finding:
    """One row of the table of findings, as text."""

    name: str
    serious: bool
    samples: int
    share: str
    advice: str
    """What it means and what to do; empty for a finding that is not known here."""
    examples: list[str]
    """sample_ids."""


@dataclass(frozen=True)
class Flagged:
    """One sample with findings."""

    sample_id: str
    split: str
    findings: list[str]


_WORDS = {
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
"""Of every known finding its name and advice, the most serious first."""

_PHRASES = {
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
"""Of every known finding what is said of one sample."""


def findings(used: pd.DataFrame, summary: dict) -> list[Finding]:
    """Every finding that was looked for, the most serious first; unknown ones last.

    Args:
        used: the audit's rows that are not in the quarantine.
        summary: the audit's; where it counts no flags, the rows are counted.
    """
    found = flags(used)
    counts = {key: int(rows.sum()) for key, rows in found.items()}
    counts |= {key: int(n) for key, n in (summary.get("flags") or {}).items() if finite(n)}
    known = [key for key in _WORDS if key in counts]
    return [
        _finding(key, counts[key], used, found.get(key))
        for key in (*known, *(key for key in counts if key not in _WORDS))
    ]


def flagged(used: pd.DataFrame) -> tuple[list[Flagged], int]:
    """The first `LISTED` samples with findings, the most serious first, and how many there are."""
    keys = [key for key in _WORDS if key in (found := flags(used))]
    table = np.stack([found[key].to_numpy(bool) for key in keys], axis=1)
    rows = np.flatnonzero(table.any(axis=1))
    worst, number = table[rows].argmax(axis=1), table[rows].sum(axis=1)
    shown = rows[np.lexsort((rows, -number, worst))][:LISTED]
    samples = _with_repeated_split(used, used.iloc[shown]).itertuples()
    listed = [
        Flagged(
            str(sample.sample_id),
            str(sample.split),
            [_PHRASES[key](sample) for key, has in zip(keys, row, strict=True) if has],
        )
        for sample, row in zip(samples, table[shown], strict=True)
    ]
    return listed, len(rows)


def _finding(key: str, samples: int, used: pd.DataFrame, rows: pd.Series | None) -> Finding:
    name, advice = _WORDS.get(key, (spaced(key), ""))
    examples = [] if rows is None else used.loc[rows, "sample_id"].head(EXAMPLES)
    return Finding(
        name=name,
        serious=key in SERIOUS,
        samples=samples,
        share=percentage(samples / len(used) if len(used) else np.nan),
        advice=advice,
        examples=[str(sample_id) for sample_id in examples],
    )


def _with_repeated_split(used: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """The rows with a column more: the split of the sample that each one repeats."""
    repeated = shown["duplicate_of"].where(shown["duplicate_of"] != "", shown["near_duplicate_of"])
    known = used.loc[used["sample_id"].isin(set(repeated)), ["sample_id", "split"]]
    splits = dict(zip(known["sample_id"], known["split"], strict=True))
    return shown.assign(repeated_split=[splits.get(name, "another split") for name in repeated])
