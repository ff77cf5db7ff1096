"""Folders of shards: many rows of tensors, read one by one."""

import hashlib
import resource
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from albedo_pipeline.shards.index import read_index
from albedo_pipeline.shards.shard_file import open_shard


class Shards:
    """Read-only view of a folder of shards: rows in the order of writing.

    Scalars are held in memory. Tensors are read from the files when they are asked for, not mapped
    into memory: pages that are mapped count as the process's own, as many as there are samples.
    """

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            ProjectError: where the folder holds no finished shards, or a damaged one; names it.
        """
        self.folder = folder
        self.index = read_index(folder)
        _allow_open_files(len(self.index.shards))
        self._shards = [open_shard(folder / name) for name in self.index.shards]
        self._ends = np.cumsum([len(shard.scalars) for shard in self._shards])

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @cached_property
    def scalars(self) -> pa.Table:
        """Every column that is not a tensor."""
        return pa.concat_tables(shard.scalars for shard in self._shards).combine_chunks()

    @cached_property
    def tensor_names(self) -> list[str]:
        """Names of the tensor columns."""
        return list(self._shards[0].columns)

    def shapes(self, name: str) -> np.ndarray:
        """Shape of every row of a tensor column, int32 [rows, axes]."""
        return np.concatenate([shard.columns[name].shapes for shard in self._shards])

    def tensor(self, name: str, row: int) -> np.ndarray:
        """One row of a tensor column, read-only; any number of threads may read at once."""
        number = int(np.searchsorted(self._ends, row, side="right"))
        shard = self._shards[number]
        return shard.tensor(name, row - (int(self._ends[number]) - len(shard.scalars)))

    def fingerprint(self) -> str:
        """Digest of every scalar and, through the rows' own digests, of every tensor."""
        digest = hashlib.sha256()
        for column in self.scalars.column_names:
            digest.update(column.encode())
            for value in self.scalars[column].to_pylist():
                digest.update(repr(value).encode())
        return digest.hexdigest()[:16]


def _allow_open_files(count: int) -> None:
    """A file stays open for every shard; the usual limit of 1,024 is soft."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < 2 * count + 256:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class PredictionShards(Shards):
    """Predictions of the evaluated samples; a row is a sample.

    Scalar columns: sample_id, group, split. Tensor columns, stored as `imaging.pixels` does:
    prediction and roundtrip (the truth through the autoencoder), uint16 [3, H, W]; where there was
    an ensemble, uncertainty (its spread, mean of the channels), uint16 [1, H, W].
    """
