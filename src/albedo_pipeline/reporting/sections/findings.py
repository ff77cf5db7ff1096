"""Findings of the audit: how many samples have each, what it means, and which samples."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from albedo_pipeline.preprocessing.audit import (
    CLIPPED_ALBEDO,
    CLIPPED_BEAUTY,
    DARK_BEAUTY,
    IMPLAUSIBLE,
    flags,
)
from albedo_pipeline.reporting.formatting import finite, percentage, spaced

MAX_EXAMPLES, MAX_FLAGGED = 5, 100
"""Largest number of samples named for each finding, and of flagged samples in their table."""
SEVERITIES = {
    "serious": ("leaks", "colour_suspicion"),
    "harmful": ("misregistered", "implausible_albedo", "clipped_albedo", "exact_duplicates"),
    "check": ("near_duplicates", "dark_beauty", "clipped_beauty"),
    "harmless": ("nonfinite", "negative", "masked_above", "masked_black", "masked_ids"),
}
"""Keys of the findings by severity, the worst first: scores or training are wrong; training is
worse; it depends; nothing to do."""


@dataclass(frozen=True)
class Finding:
    """One row of the table of findings, as text."""

    name: str
    severity: str
    """One of `SEVERITIES`; empty for a finding unknown here."""
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
        "The same picture is in two splits, so the scores are too good. "
        "Put both samples into one group, or remove one of them.",
    ),
    "colour_suspicion": (
        "Doubtful colour space",
        "The pixels contradict the declared colour space, and the model learns wrong colours from "
        "such a pair. Correct the colour space in the catalog.",
    ),
    "misregistered": (
        "Albedo shifted against the beauty",
        "Their edges do not line up, so the model learns to blur. Align the two images.",
    ),
    "implausible_albedo": (
        "Implausible albedo",
        f"More than {100 * IMPLAUSIBLE:g} % of the valid pixels are darker than charcoal or "
        "brighter than snow. Check what the albedo pass contains, and its scale.",
    ),
    "exact_duplicates": (
        "Exact duplicates",
        "All pixels equal those of another sample, so the pair counts twice. Remove one of them.",
    ),
    "near_duplicates": (
        "Near duplicates",
        "The beauty looks like one of another group. If both show the same scene, put them into "
        "one group.",
    ),
    "nonfinite": (
        "NaN or infinite pixels",
        "They are masked and do no harm. If there are many, look for the cause in the render.",
    ),
    "negative": (
        "Negative pixels",
        "They are masked and do no harm. The usual cause is a reconstruction filter that "
        "overshoots.",
    ),
    "clipped_albedo": (
        "Clipped albedo",
        f"More than {100 * CLIPPED_ALBEDO:g} % of the valid pixels are above 1, which is "
        "impossible for a diffuse surface. Look for emission or a wrong scale.",
    ),
    "clipped_beauty": (
        "Clipped beauty",
        f"More than {100 * CLIPPED_BEAUTY:g} % of the valid pixels have a channel above 1 after "
        "exposure. This is normal if a light is in view. If the light is coloured, set "
        "ingest.exposure.policy to brightest_channel; otherwise lower ingest.exposure.target.",
    ),
    "dark_beauty": (
        "Nearly black beauty",
        f"The exposure multiplies the beauty by more than {DARK_BEAUTY:g}, so it shows the noise "
        "and the rounding of values close to 0. Check the lights and the unit of the render.",
    ),
    "masked_above": (
        "Masked: target too bright for an albedo",
        "Pixels whose target is above ingest.target_mask.max_albedo, as of metal and light "
        "sources. They are masked and do no harm.",
    ),
    "masked_black": (
        "Masked: black target under a bright beauty",
        "Pixels that ingest.target_mask.black_albedo masks, as of glass, mirrors and light "
        "sources. They do no harm.",
    ),
    "masked_ids": (
        "Masked by id",
        "Pixels of the entities or materials in the reader's masked_ids. They do no harm.",
    ),
}
"""Name and advice of every known finding."""

_SAMPLE_TEXTS = {
    "leaks": lambda row: f"repeats a sample of {row.repeated_split}",
    "colour_suspicion": lambda row: str(row.colour_suspicion),
    "misregistered": lambda row: f"albedo shifted by ({row.shift_x:g}, {row.shift_y:g}) px",
    "implausible_albedo": lambda row: (
        f"implausible albedo: {percentage(row.albedo_implausible_share)}"
    ),
    "exact_duplicates": lambda row: f"identical to {row.duplicate_of}",
    "near_duplicates": lambda row: f"looks like {row.near_duplicate_of}",
    "nonfinite": lambda row: f"NaN or infinite: {percentage(row.nonfinite_share)}",
    "negative": lambda row: f"negative: {percentage(row.negative_share)}",
    "clipped_albedo": lambda row: f"albedo clipped: {percentage(row.albedo_clipped_share)}",
    "clipped_beauty": lambda row: f"beauty clipped: {percentage(row.beauty_clipped_share)}",
    "dark_beauty": lambda row: f"exposure × {row.exposure:.3g}",
    "masked_above": lambda row: f"masked, too bright: {percentage(row.masked_above_share)}",
    "masked_black": lambda row: f"masked, black: {percentage(row.masked_black_share)}",
    "masked_ids": lambda row: f"masked by id: {percentage(row.masked_id_share)}",
}
"""Text about one sample for every known finding."""
_SEVERITY = {key: severity for severity, keys in SEVERITIES.items() for key in keys}
_ORDER = list(_SEVERITY)


def findings(used: pd.DataFrame, summary: dict) -> list[Finding]:
    """Every finding the audit checks for, by severity, then by number of samples.

    Findings that are unknown here come last.

    Args:
        used: rows of the audit that are not quarantined.
        summary: totals of the audit. If it does not count the findings, they are counted in the
            rows.
    """
    flagged = flags(used)
    counts = {key: int(rows.sum()) for key, rows in flagged.items()}
    counts |= {key: int(n) for key, n in (summary.get("flags") or {}).items() if finite(n)}
    levels = list(SEVERITIES)

    def place(key: str) -> tuple[int, int, int]:
        if key not in _SEVERITY:
            return len(levels), -counts[key], 0
        return levels.index(_SEVERITY[key]), -counts[key], _ORDER.index(key)

    return [_finding(key, counts[key], used, flagged.get(key)) for key in sorted(counts, key=place)]


def flagged_samples(used: pd.DataFrame) -> tuple[list[FlaggedSample], int]:
    """The first `MAX_FLAGGED` samples with findings, and the number of all samples with findings.

    They are sorted by their most serious finding, then by how many they have.
    """
    flagged = flags(used)
    keys = [key for key in _ORDER if key in flagged]
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
        severity=_SEVERITY.get(key, ""),
        samples=samples,
        share=percentage(samples / len(used) if len(used) else np.nan),
        advice=advice,
        examples=[str(sample_id) for sample_id in examples],
    )


def _with_repeated_split(used: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """The rows with the column `repeated_split`: the split of the sample that each one repeats."""
    repeated = shown["duplicate_of"].where(shown["duplicate_of"] != "", shown["near_duplicate_of"])
    known = used.loc[used["sample_id"].isin(set(repeated)), ["sample_id", "split"]]
    splits = {
        sample_id: f"the {split} split"
        for sample_id, split in known.itertuples(index=False, name=None)
    }
    return shown.assign(repeated_split=[splits.get(name, "another split") for name in repeated])
