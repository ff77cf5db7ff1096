"""Samples of a manifest as the sources of a shard build."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from albedo_pipeline.provenance.lineage import PAIR_COLUMNS
from albedo_pipeline.shards.index import Source

_AT_A_TIME = 4096
"""Number of sources that are made at a time."""


class ManifestSources:
    """The samples as sources, in a given order; each is made when it is asked for.

    Ten million sources would otherwise be gigabytes of Python's objects.
    """

    def __init__(self, manifest: pd.DataFrame, order: np.ndarray) -> None:
        """
        Args:
            manifest: the manifest, or some of its rows.
            order: places in the table, in the order of the sources.
        """
        names = ["row", *PAIR_COLUMNS]
        self._table = pa.table({name: pa.array(manifest[name]) for name in names})
        self._order = order

    def __iter__(self) -> Iterator[Source]:
        for start in range(0, len(self._order), _AT_A_TIME):
            part = self._table.take(pa.array(self._order[start : start + _AT_A_TIME]))
            columns = (part[name].to_pylist() for name in PAIR_COLUMNS)
            for sample_id, digest, group, split in zip(*columns, strict=True):
                yield Source(sample_id, f"{digest} {group} {split}")

    def sample(self, place: int) -> tuple[int, str, str, str, str]:
        """What the manifest says of a source's sample: its row, and `PAIR_COLUMNS`."""
        number = int(self._order[place])
        row, *texts = (column[number].as_py() for column in self._table.columns)
        return row, *texts
