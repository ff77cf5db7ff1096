"""The manifest and the split of its samples.

Without a published split, the split is a pure function of the group's name, so adding samples never
moves others.
"""

import hashlib
from dataclasses import asdict

import pandas as pd

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.ingest import SplitParams
from albedo_pipeline.preprocessing.splits import PublishedSplit
from albedo_pipeline.provenance.lineage import RULE_COLUMN
from albedo_pipeline.shards.pair_shards import PairShards


def split_of(group: str, validation: float, test: float, salt: str) -> str:
    """Split of a group: the SHA-256 digest of salt and name, as a number in [0, 1), decides."""
    digest = hashlib.sha256(f"{salt}/{group}".encode()).digest()
    number = int.from_bytes(digest[:8], "big") / 2**64
    if number < test:
        return "test"
    return "validation" if number < test + validation else "train"


def manifest_of(
    pairs: PairShards, split: SplitParams, published: PublishedSplit | None = None
) -> pd.DataFrame:
    """Table of all samples in the order of the shards.

    Returns:
        One row a sample: `row` in the shards, `sample_id`, `group`, `split`, and every other scalar
        column of the shards. If the split was published, `split_rule` says what put the sample
        into its split.

    Raises:
        ProjectError: if a split that should have samples has no group.
    """
    # The columns of this copy become those of the table one after the other.
    table = pairs.scalars.to_pandas(split_blocks=True, self_destruct=True)
    table.insert(0, "row", range(len(table)))
    if published:
        table.insert(3, "split", [published.of(name) for name in table["sample_id"]])
        table.insert(4, RULE_COLUMN, table["split"].map(dict(published.rules)))
        if empty := published.rules.keys() - set(table["split"]):
            raise ProjectError(
                f"ingest.split: all samples of {' and '.join(sorted(empty))} are quarantined; "
                "quarantine.parquet of the last finished run, or the log, has the reasons"
            )
        return table
    groups = {
        group: split_of(group, split.validation, split.test, split.salt)
        for group in table["group"].unique()
    }
    table.insert(3, "split", table["group"].map(groups))
    expected = ["train", *(name for name in ("validation", "test") if getattr(split, name))]
    if missing := [name for name in expected if name not in set(groups.values())]:
        raise ProjectError(
            f"ingest.split: none of the {len(groups)} group(s) fell to {' and '.join(missing)}; "
            "a sample's group is its folder: use more folders, other shares or another salt"
        )
    return table


def quarantine_of(pairs: PairShards) -> pd.DataFrame:
    """Table of the quarantined samples: sample_id, group, reason."""
    rows = [asdict(item) for item in pairs.rejected]
    return pd.DataFrame(rows, columns=["sample_id", "group", "reason"], dtype="str")
