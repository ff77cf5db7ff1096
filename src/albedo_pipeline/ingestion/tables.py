"""The tables about the pairs: manifest, quarantine, audit."""

import pandas as pd

from albedo_pipeline.datasets.pair_shards import PairShards
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.ingestion.splits import SPLITS, split_of
from albedo_pipeline.params.ingest import SplitParams


def manifest_of(pairs: PairShards, split: SplitParams) -> pd.DataFrame:
    """One row a sample, in the order of the shards: row, sample_id, group, split, its record.

    Raises:
        ProjectError: where nothing is left to train on or to test with.
    """
    table = pairs.scalars.to_pandas()
    groups = {group: split_of(group, **split.model_dump()) for group in table["group"].unique()}
    table.insert(0, "row", range(len(table)))
    table.insert(3, "split", table["group"].map(groups))
    wanted = ["train"] + (["test"] if split.test else [])
    if missing := [name for name in wanted if name not in set(groups.values())]:
        raise ProjectError(
            f"ingest.split: none of the {len(groups)} group(s) fell to {' and '.join(missing)}; "
            "a sample's group is its folder: use more folders, other shares or another salt"
        )
    return table


def audit_of(manifest: pd.DataFrame, quarantine: pd.DataFrame) -> dict:
    """Totals: samples and groups of each split, ranges of what was recorded, the quarantine."""
    measured = [
        "exposure",
        "valid_share",
        "beauty_clipped_share",
        "albedo_clipped_share",
        "albedo_mean",
    ]
    return {
        "samples": len(manifest),
        "quarantined": len(quarantine),
        "splits": {name: _split_counts(manifest[manifest["split"] == name]) for name in SPLITS},
        "ranges": {
            name: {
                "min": float(manifest[name].min()),
                "median": float(manifest[name].median()),
                "max": float(manifest[name].max()),
            }
            for name in measured
        },
    }


def _split_counts(rows: pd.DataFrame) -> dict[str, int]:
    return {"samples": len(rows), "groups": int(rows["group"].nunique())}
