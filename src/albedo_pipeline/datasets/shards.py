"""Arrow shards: tables whose rows hold tensors of one shape, mapped into memory, not read.

A shard is an Arrow IPC file with one record batch. Tensor columns have Arrow's canonical type
`fixed_shape_tensor`, so a file knows its own shapes, and any Arrow reader can open it.
"""

import hashlib
import mmap
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from kedro.io import AbstractDataset

from albedo_pipeline.datasets.atomic import replaced_folder
from albedo_pipeline.errors import ProjectError, one_line

Row = dict[str, object]
_MOST_RESIDENT = 64 * 2**20  # bytes handed out before their pages are let go


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


class Shards:
    """Read-only view of a folder of shards: rows in the order of writing."""

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            ProjectError: where the folder holds no shard or a damaged one; names it.
        """
        self.folder = folder
        paths = sorted(folder.glob("shard-*.arrow"))
        if not paths:
            raise ProjectError(f"{folder}: no shards here; has the pipeline before this one run?")
        self._paths = paths
        self._maps, batches = zip(*(_open(path) for path in paths), strict=True)
        self._batches: tuple[pa.RecordBatch, ...] = batches
        self._ends = np.cumsum([len(batch) for batch in self._batches])
        self._arrays: dict[tuple[int, str], np.ndarray] = {}
        self._touched: set[int] = set()
        self._handed_out = 0

    def __len__(self) -> int:
        return int(self._ends[-1])

    @cached_property
    def scalars(self) -> pa.Table:
        """Every column that is not a tensor."""
        return pa.Table.from_batches([_scalars(batch) for batch in self._batches])

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of one row of a tensor column."""
        return tuple(self._batches[0].schema.field(name).type.shape)

    def tensor(self, name: str, row: int) -> np.ndarray:
        """One row of a tensor column: a read-only view of the mapped file, no copy."""
        shard = int(np.searchsorted(self._ends, row, side="right"))
        start = int(self._ends[shard]) - len(self._batches[shard])
        view = self._mapped(shard, name)[row - start]
        self._bound_memory(shard, view.nbytes)
        return view

    def _mapped(self, shard: int, name: str) -> np.ndarray:
        key = (shard, name)
        if key not in self._arrays:
            self._arrays[key] = self._batches[shard].column(name).to_numpy_ndarray()
        return self._arrays[key]

    def _bound_memory(self, shard: int, size: int) -> None:
        """Let go of the pages read so far, now and then: they would count as the process's
        memory. Views stay valid; the system reads their pages again, mostly from its cache."""
        self._touched.add(shard)
        self._handed_out += size
        if self._handed_out > _MOST_RESIDENT:
            touched, self._touched, self._handed_out = self._touched, set(), 0
            for number in touched:
                self._maps[number].madvise(mmap.MADV_DONTNEED)

    def fingerprint(self) -> str:
        """Digest of every scalar, of each file's size, and of each file's first row: equal
        for equal content, and other for another run's, without reading all of it."""
        digest = hashlib.sha256()
        for shard, path in enumerate(self._paths):
            digest.update(f"{path.name} {path.stat().st_size}".encode())
            digest.update(_scalars(self._batches[shard]).serialize())
            for field in self._batches[shard].schema:
                if isinstance(field.type, pa.FixedShapeTensorType):
                    digest.update(self._mapped(shard, field.name)[0].tobytes())
        return digest.hexdigest()[:16]


def _scalars(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.select(
        [f.name for f in batch.schema if not isinstance(f.type, pa.FixedShapeTensorType)]
    )


def _open(path: Path) -> tuple[mmap.mmap, pa.RecordBatch]:
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return mapped, pa.ipc.open_file(pa.py_buffer(mapped)).get_batch(0)
    except (ValueError, OSError) as error:  # ArrowInvalid is a ValueError
        raise ProjectError(f"{path}: damaged shard ({one_line(error)})") from error


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
        """Map the shards into memory.

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
