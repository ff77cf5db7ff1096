"""The audit: what is known about every sample, and totals."""

import numpy as np
import pandas as pd

from albedo_pipeline.preprocessing.contrasts import contrast_doubts
from albedo_pipeline.preprocessing.duplicates import find_duplicates
from albedo_pipeline.readers.raw_pairs import SPLITS
from albedo_pipeline.shards.pair_shards import PairShards

IMPLAUSIBLE, CLIPPED_ALBEDO, CLIPPED_BEAUTY = 0.10, 0.01, 0.10
"""Shares of a sample's pixels above which the sample is flagged."""
DARK_BEAUTY = 10_000
"""Exposure factor above which a sample is flagged: what becomes bright is then about 6e-5, below
which half floats lose their precision."""
MASKED = ["masked_above_share", "masked_black_share", "masked_id_share"]
"""Columns with the shares of pixels that were masked because their target is no albedo."""
_RANGES = (
    "exposure",
    "valid_share",
    "beauty_clipped_share",
    "albedo_clipped_share",
    "albedo_implausible_share",
    "albedo_mean",
)


def audit_of(pairs: PairShards, manifest: pd.DataFrame, quarantine: pd.DataFrame) -> pd.DataFrame:
    """Table of all samples, one row each, quarantined samples last.

    Returns:
        The manifest's columns without `row`, `digest` and `look`, and these: `reason` (why the
        sample is quarantined, or empty), `duplicate_of` and `near_duplicate_of` (the sample that
        it repeats, or empty), `leak` (whether that sample is in another split).
    """
    duplicates = find_duplicates(pairs, manifest)
    table = manifest.drop(columns=["row", "digest", "look"])
    table.insert(3, "reason", "")
    doubts = zip(table["colour_suspicion"], contrast_doubts(manifest), strict=True)
    table["colour_suspicion"] = ["; ".join(filter(None, both)) for both in doubts]
    splits = manifest["split"].to_numpy()
    leak = np.zeros(len(table), bool)
    for name, rows in (("duplicate_of", duplicates.exact), ("near_duplicate_of", duplicates.near)):
        repeats = rows >= 0
        table[name] = np.where(repeats, manifest["sample_id"].to_numpy()[rows], "")
        leak |= repeats & (splits[rows] != splits)
    table["leak"] = leak
    integers = table.select_dtypes(include="integer").columns
    table[integers] = table[integers].astype("Int64")  # which can hold missing values
    quarantined = quarantine.reindex(columns=table.columns)
    quarantined = quarantined.astype(dict.fromkeys(integers, "Int64"))
    texts = table.select_dtypes(include=["str"]).columns
    quarantined[texts] = quarantined[texts].astype("str").fillna("")
    quarantined["leak"] = False
    return pd.concat([table, quarantined], ignore_index=True).astype({"leak": bool})


def summary_of(audit: pd.DataFrame, companions: int = 0) -> dict:
    """Totals of the audit: samples and groups of each split, ranges of columns, flagged samples.

    `missing_files` is the number of quarantined samples with a file that is not there.

    Args:
        audit: from `audit_of`.
        companions: number of companion files that were passed over beside the samples' files.
    """
    used = audit[audit["reason"] == ""]
    return {
        "samples": len(used),
        "quarantined": len(audit) - len(used),
        "missing_files": int(audit["reason"].str.endswith(": no such file").sum()),
        "companions": companions,
        "splits": {name: _split_counts(used[used["split"] == name]) for name in SPLITS},
        "ranges": {name: _range(used[name]) for name in _RANGES},
        "flags": {name: int(flagged.sum()) for name, flagged in flags(used).items()},
    }


def flags(used: pd.DataFrame) -> dict[str, pd.Series]:
    """For each finding, whether each sample has it."""
    masked = used.reindex(columns=MASKED)  # which an audit of an earlier version does not have
    return {
        "leaks": used["leak"],
        "colour_suspicion": used["colour_suspicion"] != "",
        "misregistered": (used["shift_x"] != 0) | (used["shift_y"] != 0),
        "implausible_albedo": used["albedo_implausible_share"] > IMPLAUSIBLE,
        "exact_duplicates": used["duplicate_of"] != "",
        "near_duplicates": used["near_duplicate_of"] != "",
        "nonfinite": used["nonfinite_share"] > 0,
        "negative": used["negative_share"] > 0,
        "clipped_albedo": used["albedo_clipped_share"] > CLIPPED_ALBEDO,
        "clipped_beauty": used["beauty_clipped_share"] > CLIPPED_BEAUTY,
        "dark_beauty": used["exposure"] > DARK_BEAUTY,
        "masked_above": masked["masked_above_share"] > 0,
        "masked_black": masked["masked_black_share"] > 0,
        "masked_ids": masked["masked_id_share"] > 0,
    }


def _range(values: pd.Series) -> dict[str, float]:
    return {name: float(getattr(values, name)()) for name in ("min", "median", "max")}


def _split_counts(rows: pd.DataFrame) -> dict[str, int]:
    return {"samples": len(rows), "groups": int(rows["group"].nunique())}
