"""The split: a pure function of the group's name, so that adding samples moves none."""

import hashlib
from dataclasses import asdict

import pandas as pd

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.ingest import SplitParams
from albedo_pipeline.shards.pair_shards import PairShards

SPLITS = ("train", "validation", "test")


def split_of(group: str, validation: float, test: float, salt: str) -> str:
    """Split of a group: SHA-256 of salt and name, read as a number in [0, 1)."""
    digest = hashlib.sha256(f"{salt}/{group}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < test:
        return "test"
    return "validation" if place < test + validation else "train"


def manifest_of(pairs: PairShards, split: SplitParams) -> pd.DataFrame:
    """One row a sample, in the order of the shards: row, sample_id, group, split, its record.

    Raises:
        ProjectError: where a split that is asked for has no group.
    """
    table = pairs.scalars.to_pandas()
    groups = {group: split_of(group, **split.model_dump()) for group in table["group"].unique()}
    table.insert(0, "row", range(len(table)))
    table.insert(3, "split", table["group"].map(groups))
    wanted = ["train", *(name for name in ("validation", "test") if getattr(split, name))]
    if missing := [name for name in wanted if name not in set(groups.values())]:
        raise ProjectError(
            f"ingest.split: none of the {len(groups)} group(s) fell to {' and '.join(missing)}; "
            "a sample's group is its folder: use more folders, other shares or another salt"
        )
    return table


def quarantine_of(pairs: PairShards) -> pd.DataFrame:
    """One row a sample that was set aside: sample_id, group, reason."""
    rows = [asdict(item) for item in pairs.rejected]
    return pd.DataFrame(rows, columns=["sample_id", "group", "reason"], dtype="str")
