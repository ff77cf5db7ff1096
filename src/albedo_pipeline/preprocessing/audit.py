"""The audit: what is known of every sample, and in total."""

import numpy as np
import pandas as pd

from albedo_pipeline.preprocessing.contrasts import contrast_doubts
from albedo_pipeline.preprocessing.duplicates import find_duplicates
from albedo_pipeline.preprocessing.manifest import SPLITS
from albedo_pipeline.shards.pair_shards import PairShards

IMPLAUSIBLE, CLIPPED_ALBEDO, CLIPPED_BEAUTY = 0.10, 0.01, 0.10
"""Shares of a sample's pixels from which it is flagged."""
_RANGES = (
    "exposure",
    "valid_share",
    "beauty_clipped_share",
    "albedo_clipped_share",
    "albedo_implausible_share",
    "albedo_mean",
)


def audit_of(pairs: PairShards, manifest: pd.DataFrame, quarantine: pd.DataFrame) -> pd.DataFrame:
    """One row a sample, those in the quarantine last: the manifest's columns without `row`,
    `digest` and `look`, and reason, duplicate_of, near_duplicate_of, leak.

    `leak`: what it repeats stands in another split.
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
    whole = table.select_dtypes(include="integer").columns
    table[whole] = table[whole].astype("Int64")  # which knows missing values
    set_aside = quarantine.reindex(columns=table.columns).astype(dict.fromkeys(whole, "Int64"))
    words = table.select_dtypes(include=["str"]).columns
    set_aside[words] = set_aside[words].astype("str").fillna("")
    set_aside["leak"] = False
    return pd.concat([table, set_aside], ignore_index=True).astype({"leak": bool})


def summary_of(audit: pd.DataFrame) -> dict:
    """Totals: samples and groups of each split, ranges of what was recorded, flagged samples."""
    used = audit[audit["reason"] == ""]
    return {
        "samples": len(used),
        "quarantined": len(audit) - len(used),
        "splits": {name: _split_counts(used[used["split"] == name]) for name in SPLITS},
        "ranges": {name: _range(used[name]) for name in _RANGES},
        "flags": {name: int(flagged.sum()) for name, flagged in flags(used).items()},
    }


def flags(used: pd.DataFrame) -> dict[str, pd.Series]:
    """For each finding which of the samples have it."""
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
    }


def _range(values: pd.Series) -> dict[str, float]:
    return {name: float(getattr(values, name)()) for name in ("min", "median", "max")}


def _split_counts(rows: pd.DataFrame) -> dict[str, int]:
    return {"samples": len(rows), "groups": int(rows["group"].nunique())}
