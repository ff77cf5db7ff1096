"""Shards: Arrow IPC files of rows, named by what they hold, read row by row."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import FileIO
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa

from albedo_pipeline.datasets.atomic import fsync
from albedo_pipeline.datasets.tensor_columns import (
    TensorColumn,
    is_tensor,
    locate,
    tensor_array,
    tensor_field,
)
from albedo_pipeline.errors import ProjectError, one_line

Row = dict[str, object]
DIGEST = "digest"
"""Column of every shard: a digest of the row's tensors."""
_BATCH_BYTES = 2**20  # of rows that are gathered; a larger row is written alone, uncopied


def digest_of(row: Mapping[str, object]) -> str:
    """Digest of a row's tensors, their names and shapes; equal only for equal tensors."""
    digest = hashlib.sha1(usedforsecurity=False)
    for name, value in row.items():
        if isinstance(value, np.ndarray):
            digest.update(f"{name} {value.dtype} {value.shape} ".encode())
            digest.update(np.ascontiguousarray(value).data)
    return digest.hexdigest()


def write_shard(folder: Path, rows: Iterable[Row]) -> str | None:
    """Write the rows as one file, which appears whole or not at all.

    Returns:
        The file's name, a function of what it holds; None where there are no rows.
    """
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return None
    descriptor, path = tempfile.mkstemp(".partial", ".shard-", folder)
    os.close(descriptor)
    partial, digest = Path(path), hashlib.sha256()
    try:
        with pa.OSFile(str(partial), "wb") as file:
            _write_batches(file, chain([first], rows), digest)
        fsync(partial)
        name = f"shard-{digest.hexdigest()[:16]}.arrow"
        partial.rename(folder / name)
    finally:
        partial.unlink(missing_ok=True)
    return name


def _write_batches(file: pa.OSFile, rows: Iterator[Row], digest: "hashlib._Hash") -> None:
    batches = _Batches(file)
    waiting: list[Row] = []
    size = 0
    for row in rows:
        row = row if DIGEST in row else row | {DIGEST: digest_of(row)}
        scalars = {k: v for k, v in row.items() if not isinstance(v, np.ndarray)}
        digest.update(json.dumps(scalars, default=np.generic.item).encode())
        waiting.append(row)
        size += sum(v.nbytes for v in row.values() if isinstance(v, np.ndarray))
        if size >= _BATCH_BYTES:
            batches.write(waiting)
            waiting, size = [], 0
    if waiting:
        batches.write(waiting)
    batches.close()


class _Batches:
    """Writes rows as record batches of one schema."""

    def __init__(self, file: pa.OSFile) -> None:
        self._file = file
        self._writer: pa.ipc.RecordBatchFileWriter | None = None

    def write(self, rows: list[Row]) -> None:
        if self._writer is None:
            self._schema = _schema(rows[0])
            self._writer = pa.ipc.new_file(self._file, self._schema)
        columns = [self._column(field, [row[field.name] for row in rows]) for field in self._schema]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def _column(self, field: pa.Field, values: list) -> pa.Array:
        if not is_tensor(field):
            return pa.array(values, field.type)
        return tensor_array(values)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _schema(row: Row) -> pa.Schema:
    """Scalars, then tensors: the same for a row that was made and one that was read back."""
    tensors = {name: v for name, v in row.items() if isinstance(v, np.ndarray)}
    scalars = [pa.field(name, pa.scalar(v).type) for name, v in row.items() if name not in tensors]
    return pa.schema(scalars + [tensor_field(name, value) for name, value in tensors.items()])


@dataclass(frozen=True)
class ShardFile:
    """An open shard. Scalars are in memory, tensors are read when they are asked for."""

    file: FileIO
    scalars: pa.Table
    columns: dict[str, TensorColumn]

    def tensor(self, name: str, row: int) -> np.ndarray:
        """One row of a tensor column, read-only; any number of threads may read at once."""
        column = self.columns[name]
        content = os.pread(self.file.fileno(), column.row_bytes(row), int(column.offsets[row]))
        return np.frombuffer(content, column.dtype).reshape(column.shapes[row])

    def row(self, number: int) -> Row:
        """A whole row, as it was written."""
        scalars = self.scalars.slice(number, 1).to_pylist()[0]
        return scalars | {name: self.tensor(name, number) for name in self.columns}


def open_shard(path: Path) -> ShardFile:
    """Open a shard.

    Raises:
        ProjectError: where it is missing or damaged; names it.
    """
    try:
        with pa.memory_map(str(path)) as source:
            content = source.read_buffer(source.size())
            reader = pa.ipc.open_file(content)
            batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
            names = [field.name for field in reader.schema if is_tensor(field)]
            columns = {name: locate(batches, name, content.address) for name in names}
            scalars = pa.Table.from_batches(batches).drop_columns(names)
            copied = pa.ipc.open_stream(_serialised(scalars)).read_all()
        return ShardFile(FileIO(path), copied, columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise ProjectError(f"{path}: damaged shard ({one_line(error)})") from error


def _serialised(table: pa.Table) -> pa.Buffer:
    """A copy in memory, so that nothing refers to the mapped file."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue()
