"""Rules: what put the samples into a split, as the manifest, the audit and the metrics say it."""

import hashlib
from collections.abc import Iterable

import pandas as pd

from albedo_pipeline.provenance.lineage import RULE_COLUMN

HASH_RULE = "hash of the group"
"""The rule if no split was published; see `preprocessing.manifest.split_of`."""
COLUMN_RULE = "column split of the table"
"""The rule if the table of the raw pairs says the split of each sample."""


def list_rule(file_name: str, by: str, names: Iterable[str]) -> str:
    """The rule of a list of samples or groups; its digest is that of the names in any order."""
    digest = hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:12]
    return f"list {file_name}, by {by}, digest {digest}"


def split_rules(manifest: pd.DataFrame) -> dict[str, str]:
    """The rule of each split that has samples."""
    splits = manifest["split"].unique()
    if RULE_COLUMN not in manifest:
        return dict.fromkeys(splits, HASH_RULE)
    rules = manifest.drop_duplicates("split").set_index("split")[RULE_COLUMN]
    return {split: str(rules[split]) for split in splits}
