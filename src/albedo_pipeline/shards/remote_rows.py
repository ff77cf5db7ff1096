"""Shards in object storage: a shard, and its head, which says where its rows are.

`shard-<digest>.arrow` has the same bytes as on a disk. To find the rows in it one would have to
read all of it, so `shard-<digest>.head` beside it holds its scalars, and the place and shape of
every tensor. The head is written last: a shard with a head is complete.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from albedo_pipeline.errors import one_line
from albedo_pipeline.runtime.row_cache import RowCache
from albedo_pipeline.runtime.storage import is_remote, put, read, read_ranges, upload
from albedo_pipeline.shards.tensor_columns import TensorColumn

_TYPES = b"tensor_types"
_BUFFER_BYTES = 128 * 2**20
"""Size of the rows that are kept in memory, because a row's tensors are asked for one by one."""


def head_of(path: Path) -> Path:
    """The head of a shard."""
    return path.with_name(f"{path.stem}.head")


def store(file: Path, path: Any, scalars: pa.Table, columns: dict[str, TensorColumn]) -> None:
    """Copy a shard to object storage, and write its head.

    Args:
        file: the shard on the disk.
        path: its place in object storage.
        scalars: its columns that are not tensors.
        columns: the places of its tensors in the file.
    """
    head = scalars.replace_schema_metadata(
        {_TYPES: json.dumps({name: column.dtype.str for name, column in columns.items()})}
    )
    for name, column in columns.items():
        shapes = pa.array(column.shapes.reshape(-1))
        axes = column.shapes.shape[1]
        head = head.append_column(f"{name}.offset", pa.array(column.offsets))
        head = head.append_column(f"{name}.shape", pa.FixedSizeListArray.from_arrays(shapes, axes))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(
        sink, head.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")
    ) as writer:
        writer.write_table(head)
    upload(file, path)
    put(head_of(path), sink.getvalue().to_pybytes())


def read_head(path: Path) -> tuple[pa.Table, dict[str, TensorColumn]]:
    """The scalars and the places of the tensors of a shard in object storage, in one request.

    Raises:
        OSError: if the store does not give the head.
        Exception: if the head is damaged; of many types, but never OSError.
    """
    content = read(head_of(path))
    try:
        head = pa.ipc.open_stream(content).read_all()
    except OSError as error:  # Arrow's error for bytes that end too early, which the store gave
        raise ValueError(one_line(error)) from error
    types = json.loads(head.schema.metadata[_TYPES])
    columns = {}
    for name, dtype in types.items():
        shapes = head[f"{name}.shape"].combine_chunks()
        columns[name] = TensorColumn(
            head[f"{name}.offset"].to_numpy(),
            shapes.values.to_numpy().reshape(-1, shapes.type.list_size),
            np.dtype(dtype),
        )
    places = [f"{name}.{part}" for name in columns for part in ("offset", "shape")]
    return head.drop_columns(places).replace_schema_metadata(None), columns


class RemoteRows:
    """The tensors of a shard in object storage; a row's tensors are read in one go."""

    def __init__(self, path: Path, columns: dict[str, TensorColumn]) -> None:
        self._path, self._columns = path, columns
        sizes = [c.dtype.itemsize * c.shapes.prod(axis=1, dtype=np.int64) for c in columns.values()]
        self._starts = np.concatenate([[0], np.cumsum(sum(sizes))]).astype(np.int64)

    def content(self, name: str, row: int) -> bytes:
        """Bytes of one tensor; safe to call from any thread.

        Raises:
            OSError: if the store does not give them.
        """
        key = (str(self._path), row)
        tensors = _buffer.get(key)
        if tensors is None:
            tensors = self._read(row)
            _buffer.add(key, tensors)
        return tensors[name]

    def _read(self, row: int) -> dict[str, bytes]:
        columns = self._columns.values()
        ranges = [(int(column.offsets[row]), column.row_bytes(row)) for column in columns]
        cache, start = _caches.get(str(self._path.parent)), int(self._starts[row])
        if cache is None:
            return dict(zip(self._columns, read_ranges(self._path, ranges), strict=True))
        size = int(self._starts[row + 1]) - start
        kept = cache.read(self._path.stem, row, start, size)
        if kept is None:
            tensors = read_ranges(self._path, ranges)
            cache.write(self._path.stem, row, start, b"".join(tensors))
        else:
            ends = np.cumsum([size for _, size in ranges]).tolist()
            tensors = [kept[end - size : end] for end, (_, size) in zip(ends, ranges, strict=True)]
        return dict(zip(self._columns, tensors, strict=True))


class _Buffer:
    """The rows that were read last, up to a number of bytes; shared by all threads."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._rows: OrderedDict[tuple[str, int], dict[str, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, int]) -> dict[str, bytes] | None:
        with self._lock:
            return self._rows.get(key)

    def add(self, key: tuple[str, int], tensors: dict[str, bytes]) -> None:
        with self._lock:
            if key in self._rows:
                return
            self._rows[key] = tensors
            self._size += _bytes(tensors)
            while self._size > self._limit and len(self._rows) > 1:
                _, oldest = self._rows.popitem(last=False)
                self._size -= _bytes(oldest)


def _bytes(tensors: dict[str, bytes]) -> int:
    return sum(map(len, tensors.values()))


_buffer = _Buffer(_BUFFER_BYTES)
_caches: dict[str, RowCache] = {}
"""By folder of shards in object storage: where this process keeps copies of its rows."""


@contextmanager
def cached(
    folder: Path, names: Iterable[str], where: Path, limit: int, users: int = 1
) -> Iterator[None]:
    """Keep copies of the rows that are read of a folder of shards; nothing if it is on a disk.

    Args:
        folder: the folder of the shards.
        names: names of its shards.
        where: folder of the copies, on a disk.
        limit: most bytes that all copies in `where` take.
        users: see `RowCache`.

    Raises:
        ProjectError: if `where` cannot be written to.
    """
    if is_remote(folder) and limit > 0:
        stems = {Path(name).stem for name in names}
        _caches[str(folder)] = RowCache(where, str(folder), limit, stems, users)
    try:
        yield
    finally:
        _caches.pop(str(folder), None)
