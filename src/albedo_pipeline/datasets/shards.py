"""Arrow shards: tables whose rows hold tensors of one shape, read row by row.

A shard is an Arrow IPC file with one record batch. Tensor columns have Arrow's canonical type
`fixed_shape_tensor`, so a file knows its own shapes, and any Arrow reader can open it.
"""

import hashlib
import math
import os
import resource
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from io import FileIO
from pathlib import Path

import numpy as np
import pyarrow as pa
from kedro.io import AbstractDataset

from albedo_pipeline.datasets.atomic import replaced_folder
from albedo_pipeline.errors import ProjectError, one_line

Row = dict[str, object]


def record_batch(rows: list[Row]) -> pa.RecordBatch:
    """Rows with equal keys => one batch; numpy arrays become tensor columns."""
    return pa.RecordBatch.from_pydict({name: _column([r[name] for r in rows]) for name in rows[0]})


def _column(values: list) -> pa.Array:
    if not isinstance(values[0], np.ndarray):
        return pa.array(values)
    return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(np.stack(values)))


class ShardWriter:
    """Collects rows and writes a file whenever `rows_per_shard` are together."""

    def __init__(self, folder: Path, rows_per_shard: int) -> None:
        self._folder, self._rows_per_shard = folder, rows_per_shard
        self._rows: list[Row] = []
        self._written = 0

    def add(self, row: Row) -> None:
        """Take one row; what it holds must not change afterwards."""
        self._rows.append(row)
        if len(self._rows) == self._rows_per_shard:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait, if any."""
        if not self._rows:
            return
        batch = record_batch(self._rows)
        path = self._folder / f"shard-{self._written:05d}.arrow"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)
        self._rows, self._written = [], self._written + 1


@dataclass(frozen=True)
class _Column:
    """Where a tensor column lies in its file."""

    offset: int
    dtype: np.dtype
    shape: tuple[int, ...]
    """Of one row."""

    @property
    def row_bytes(self) -> int:
        return self.dtype.itemsize * math.prod(self.shape)


@dataclass(frozen=True)
class _Shard:
    file: FileIO
    scalars: pa.RecordBatch
    tensors: dict[str, _Column]


class Shards:
    """Read-only view of a folder of shards: rows in the order of writing.

    Scalars are held in memory. Tensors are read from the files when they are asked for, not mapped
    into memory: pages that are mapped count as the process's own, as many as there are samples.
    """

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            ProjectError: where the folder holds no shard or a damaged one; names it.
        """
        self.folder = folder
        paths = sorted(folder.glob("shard-*.arrow"))
        if not paths:
            raise ProjectError(f"{folder}: no shards here; has the pipeline before this one run?")
        _allow_open_files(len(paths))
        self._shards = [_open(path) for path in paths]
        self._ends = np.cumsum([len(shard.scalars) for shard in self._shards])

    def __len__(self) -> int:
        return int(self._ends[-1])

    @cached_property
    def scalars(self) -> pa.Table:
        """Every column that is not a tensor."""
        return pa.Table.from_batches([shard.scalars for shard in self._shards])

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of one row of a tensor column."""
        return self._shards[0].tensors[name].shape

    def tensor(self, name: str, row: int) -> np.ndarray:
        """One row of a tensor column, read-only; any number of threads may read at once."""
        number = int(np.searchsorted(self._ends, row, side="right"))
        shard = self._shards[number]
        column, start = shard.tensors[name], int(self._ends[number]) - len(shard.scalars)
        offset = column.offset + (row - start) * column.row_bytes
        content = os.pread(shard.file.fileno(), column.row_bytes, offset)
        return np.frombuffer(content, column.dtype).reshape(column.shape)

    def fingerprint(self) -> str:
        """Digest of every scalar, of each file's size, and of each file's first row: equal
        for equal content, and other for another run's, without reading all of it."""
        digest = hashlib.sha256()
        for shard, end in zip(self._shards, self._ends, strict=True):
            digest.update(f"{os.fstat(shard.file.fileno()).st_size}".encode())
            digest.update(shard.scalars.serialize())
            for name in shard.tensors:
                digest.update(self.tensor(name, int(end) - len(shard.scalars)).tobytes())
        return digest.hexdigest()[:16]


def _open(path: Path) -> _Shard:
    try:
        with pa.memory_map(str(path)) as source:
            content = source.read_buffer(source.size())
            batch = pa.ipc.open_file(content).get_batch(0)
            is_tensor = [isinstance(f.type, pa.FixedShapeTensorType) for f in batch.schema]
            names = [f.name for f, tensor in zip(batch.schema, is_tensor, strict=True) if tensor]
            tensors = {n: _column_of(batch.column(n), content.address) for n in names}
            scalars = batch.drop_columns(names)
            copied = pa.ipc.read_record_batch(scalars.serialize(), scalars.schema)
        return _Shard(FileIO(path), copied, tensors)
    except (pa.ArrowInvalid, OSError) as error:
        raise ProjectError(f"{path}: damaged shard ({one_line(error)})") from error


def _column_of(column: pa.FixedShapeTensorArray, start_of_file: int) -> _Column:
    array = column.to_numpy_ndarray()
    return _Column(array.ctypes.data - start_of_file, array.dtype, array.shape[1:])


def _allow_open_files(count: int) -> None:
    """A file stays open for every shard; the usual limit of 1,024 is soft."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < 2 * count + 256:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def write_shards(folder: Path, rows: Iterable[Row], rows_per_shard: int) -> None:
    """Write all rows into `folder`, holding one shard in memory at a time."""
    writer = ShardWriter(folder, rows_per_shard)
    for row in rows:
        writer.add(row)
    writer.flush()


class ShardsDataset(AbstractDataset[Iterable[Row], Shards]):
    """A folder of shards. Saving takes a stream and keeps one shard in memory.

    Args:
        filepath: the folder; replaced as a whole when a save succeeds.
        samples_per_shard: rows of one file.
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

    def save(self, data: Iterable[Row]) -> None:
        """Write the stream's rows."""
        with replaced_folder(self._folder) as folder:
            write_shards(folder, data, self._samples_per_shard)

    def _exists(self) -> bool:
        return self._folder.is_dir()

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder), "samples_per_shard": self._samples_per_shard}
