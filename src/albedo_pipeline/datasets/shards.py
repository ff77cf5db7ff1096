"""Folders of shards: many rows of tensors, read one by one."""

import hashlib
import os
import resource
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from kedro.io import AbstractDataset

from albedo_pipeline.datasets.incremental import Work, write_work
from albedo_pipeline.datasets.shard_files import Row, open_shard, write_shard
from albedo_pipeline.datasets.shard_index import Index, has_index, publish, read_index, sweep
from albedo_pipeline.errors import ProjectError, one_line


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


def write_rows(folder: Path, rows: Iterable[Row], rows_per_shard: int) -> list[str]:
    """Write all rows as shards, a few rows in memory at a time; the files' names."""
    rows = iter(rows)
    return list(_written(folder, rows, rows_per_shard))


def _written(folder: Path, rows: Iterator[Row], rows_per_shard: int) -> Iterator[str]:
    while name := write_shard(folder, islice(rows, rows_per_shard)):
        yield name


class ShardsDataset(AbstractDataset[Work | Iterable[Row], Shards]):
    """A folder of shards.

    Args:
        filepath: the folder. What it holds is replaced in one step, when a save succeeds.
        samples_per_shard: rows of one file; of `Work` their mean number.
    """

    reader: type[Shards] = Shards

    def __init__(
        self, *, filepath: str, samples_per_shard: int = 256, metadata: dict | None = None
    ) -> None:
        self._folder = Path(filepath)
        self._samples_per_shard = samples_per_shard
        self.metadata = metadata

    def load(self) -> Shards:
        """Open the shards.

        Raises:
            ProjectError: where there are none, or one is damaged.
        """
        return self.reader(self._folder)

    def save(self, data: Work | Iterable[Row]) -> None:
        """Write what the work gives, or a stream's rows; where that fails, the old ones stay.

        Of `Work` only what is missing is made; finished shards of a run that failed or was killed
        are taken over by the next one.

        Raises:
            ProjectError: where there is no row, or the disk is full or fails.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if isinstance(data, Work):
                write_work(self._folder, data, self._samples_per_shard)
            else:
                self._replace(data)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else one_line(error)
            raise ProjectError(f"{self._folder}: not finished: {reason}") from error

    def _replace(self, data: Iterable[Row]) -> None:
        try:
            publish(self._folder, self._write(data))
        except BaseException:
            sweep(self._folder, self._kept())
            raise

    def _write(self, data: Iterable[Row]) -> Index:
        return Index(write_rows(self._folder, data, self._samples_per_shard))

    def _kept(self) -> list[str]:
        return read_index(self._folder).shards if has_index(self._folder) else []

    def _exists(self) -> bool:
        return has_index(self._folder)

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder), "samples_per_shard": self._samples_per_shard}
