"""Folders of shards: many rows of tensors, each read when it is needed."""

import hashlib
import resource
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from io import FileIO
from itertools import islice, pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from albedo_pipeline.runtime.parallel import ordered_map
from albedo_pipeline.runtime.storage import PARALLEL_REQUESTS, is_remote
from albedo_pipeline.shards.index import read_index
from albedo_pipeline.shards.scalar_text import repr_text
from albedo_pipeline.shards.shard_file import open_shard, stored_scalars

_OPEN_FILES = 4096
"""Number of shards whose files are open at a time, if the system allows it."""
_TABLES_AT_A_TIME = 256
"""Number of shards whose scalars are joined at a time."""


class Shards:
    """Read-only view of a folder of shards, with rows in the order of writing.

    Scalars are held in memory, or some of them: see `held`. Tensors are read from the files when
    they are asked for. The files are not mapped into memory, because mapped pages count as memory
    of the process, and there would be as many as there are samples.
    """

    written_by: ClassVar = "that writes it"
    """The pipeline that writes the shards, for errors."""
    held: ClassVar[tuple[str, ...] | None] = None
    """Scalar columns that are held in memory; None: all. The others are read when they are needed,
    for the whole table."""

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            ProjectError: if the folder holds no finished shards, or a damaged one; names it.
        """
        self.folder = folder
        self.index = read_index(folder)
        paths = self._paths = [folder / name for name in self.index.shards]
        files = lru_cache(maxsize=_allowed_open_files(len(paths)))(FileIO)
        open_one = partial(open_shard, written_by=self.written_by, open_file=files, held=self.held)
        self._shards = list(
            ordered_map(open_one, paths, PARALLEL_REQUESTS)
            if is_remote(folder)
            else map(open_one, paths)
        )
        self._ends = np.cumsum([len(shard.scalars) for shard in self._shards])

    def __reduce__(self) -> tuple:
        return type(self), (self.folder,)  # another process opens the files itself

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @property
    def scalars(self) -> pa.Table:
        """All columns that are not tensors; if only some are held, read again at each use."""
        return self._in_memory if self.held is None else self._read_scalars()

    def column(self, name: str) -> pa.ChunkedArray:
        """A scalar column; it is not read again if it is held."""
        return (self._in_memory if self.held and name in self.held else self.scalars)[name]

    @cached_property
    def _in_memory(self) -> pa.Table:
        """The scalar columns that are held."""
        table = pa.concat_tables(shard.scalars for shard in self._shards).combine_chunks()
        starts = self._ends - np.diff(self._ends, prepend=0)
        self._shards = [  # each with its part of the table, so that nothing is held twice
            replace(shard, scalars=table.slice(int(start), len(shard.scalars)))
            for start, shard in zip(starts, self._shards, strict=True)
        ]
        return table

    def _read_scalars(self) -> pa.Table:
        read = partial(stored_scalars, written_by=self.written_by)
        workers = PARALLEL_REQUESTS if is_remote(self.folder) else 1
        tables, joined = ordered_map(read, self._paths, workers), []
        while some := list(islice(tables, _TABLES_AT_A_TIME)):  # many small ones take twice as much
            joined.append(pa.concat_tables(some).combine_chunks())
        return pa.concat_tables(joined)

    @cached_property
    def tensor_names(self) -> list[str]:
        """Names of the tensor columns."""
        return list(self._shards[0].columns)

    def shapes(self, name: str) -> np.ndarray:
        """Shapes of all rows of a tensor column, int32 [rows, axes]."""
        return np.concatenate([shard.columns[name].shapes for shard in self._shards])

    def tensor(self, name: str, row: int) -> np.ndarray:
        """Read one row of a tensor column as a read-only array; safe to call from any thread.

        Raises:
            ProjectError: if the row is damaged; names the file.
        """
        number = int(np.searchsorted(self._ends, row, side="right"))
        shard = self._shards[number]
        return shard.tensor(name, row - (int(self._ends[number]) - len(shard.scalars)))

    def fetch(self, row: int) -> None:
        """Read a row of object storage before its tensors are asked for; any thread may do so.

        Raises:
            ProjectError: if the row is damaged, or the store does not answer; names the file.
        """
        self.tensor(self.tensor_names[0], row)

    def fingerprint(self) -> str:
        """Digest of every scalar and, through the rows' own digests, of every tensor."""
        digest = hashlib.sha256()
        tables = [shard.scalars for shard in self._shards]
        if self.held is not None:
            table, ends = self._read_scalars(), self._ends.tolist()
            tables = [table.slice(start, end - start) for start, end in pairwise([0, *ends])]
        for name in tables[0].column_names:
            digest.update(name.encode())
            for table in tables:  # so that few values are Python's at a time
                digest.update(repr_text(table[name]))
        return digest.hexdigest()[:16]


def _allowed_open_files(count: int) -> int:
    """How many of `count` shards may have an open file; raises the process's soft limit for them.

    The limit is usually 1,024, and half of it stays for others.
    """
    wanted = min(count, _OPEN_FILES)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < 2 * wanted + 256:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft // 2))


PREDICTION_OF = "prediction_of "
"""What the name of another model's predictions begins with; the model's name follows."""


class PredictionShards(Shards):
    """Predictions of the evaluated samples; a row is a sample.

    Scalar columns: sample_id, group, split, lineage (digest of the lineage that the predictions
    were made with). Tensor columns, stored as `imaging.pixels` does:
    prediction and roundtrip (the true albedo, encoded and decoded), uint16 [3, H, W], and the
    predictions of the models to compare with, whose names begin with `PREDICTION_OF`; with an
    ensemble also uncertainty (its spread, mean of the channels), uint16 [1, H, W].
    """

    written_by = "evaluate"

    def made_from(self) -> dict[str, str]:
        """Digest of the `lineage`; empty if an earlier version of the project wrote the shards."""
        if "lineage" not in self.scalars.column_names:
            return {}
        return {"lineage": self.scalars["lineage"][0].as_py()}
