"""Shards: Arrow IPC files of rows, named by their content and read row by row."""

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa

from albedo_pipeline.errors import ProjectError, UnreachableError, one_line
from albedo_pipeline.runtime.atomic_files import fsync
from albedo_pipeline.runtime.storage import is_remote
from albedo_pipeline.shards.index import new_partial
from albedo_pipeline.shards.remote_rows import RemoteRows, read_head, store
from albedo_pipeline.shards.scalar_text import json_text
from albedo_pipeline.shards.tensor_columns import (
    TensorColumn,
    is_tensor,
    locate,
    tensor_array,
    tensor_field,
)

Row = dict[str, object]
"""Scalars and tensors of one row, by column."""
OpenFile = Callable[[Path], FileIO]
"""Opens a file on the disk, or returns the open one."""
DIGEST = "digest"
"""Column that every shard has: a digest of the row's tensors."""
_BATCH_BYTES = 2**20
"""Size from which gathered rows are written; a larger row is written alone, without a copy."""


def digest_of(row: Mapping[str, object]) -> str:
    """Digest of a row's tensors, their names and shapes; equal only for equal tensors."""
    digest = hashlib.sha1(usedforsecurity=False)
    for name, value in row.items():
        if isinstance(value, np.ndarray):
            digest.update(f"{name} {value.dtype} {value.shape} ".encode())
            digest.update(np.ascontiguousarray(value).data)
    return digest.hexdigest()


class ShardWriter:
    """Writes one shard, which appears in the folder complete or not at all.

    with ShardWriter(folder) as shard:
        shard.add(row)
    shard.name  # a function of what the file holds; None if no row was added
    """

    def __init__(self, folder: Path) -> None:
        self.name: str | None = None
        self._folder = folder
        self._partial: Path | None = None
        self._digest = hashlib.sha256()
        self._waiting: list[Row] = []
        self._waiting_bytes = 0

    def __enter__(self) -> Self:
        return self

    def add(self, row: Row) -> None:
        """Append a row; it gets a digest of its tensors if it has none."""
        row = row if DIGEST in row else row | {DIGEST: digest_of(row)}
        if self._partial is None:
            self._open(row)
        self._waiting.append(row)
        self._waiting_bytes += sum(v.nbytes for v in row.values() if isinstance(v, np.ndarray))
        if self._waiting_bytes >= _BATCH_BYTES:
            self._write_batch()

    def __exit__(self, kind: type | None, error: object, trace: object) -> None:
        if self._partial is None:
            return
        try:
            if kind is None and self._waiting:
                self._write_batch()
            self._writer.close()
            self._file.close()
            if kind is None:
                self._publish(self._partial, _name(self._digest.hexdigest()))
        finally:
            self._partial.unlink(missing_ok=True)

    def _publish(self, partial: Path, name: str) -> None:
        if is_remote(self._folder):
            store(partial, self._folder / name, *_parsed(partial))
        else:
            fsync(partial)
            partial.rename(self._folder / name)
        self.name = name

    def _open(self, first: Row) -> None:
        self._partial = new_partial(self._folder)
        self._file = pa.OSFile(str(self._partial), "wb")
        self._schema = _schema(first)
        self._writer = pa.ipc.new_file(self._file, self._schema)

    def _write_batch(self) -> None:
        columns = [
            _column(field, [row[field.name] for row in self._waiting]) for field in self._schema
        ]
        batch = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        self._writer.write_batch(batch)
        scalars = [field.name for field in self._schema if not is_tensor(field)]
        self._digest.update(json_text(batch.select(scalars)))
        self._waiting, self._waiting_bytes = [], 0


def _name(digest: str) -> str:
    return f"shard-{digest[:16]}.arrow"


def _column(field: pa.Field, values: list) -> pa.Array:
    return tensor_array(values) if is_tensor(field) else pa.array(values, field.type)


def _schema(row: Row) -> pa.Schema:
    """Schema with scalars before tensors, so that a row that is read back has the same one."""
    tensors = {name: v for name, v in row.items() if isinstance(v, np.ndarray)}
    scalars = [pa.field(name, pa.scalar(v).type) for name, v in row.items() if name not in tensors]
    return pa.schema(scalars + [tensor_field(name, value) for name, value in tensors.items()])


@dataclass(frozen=True)
class ShardFile:
    """A shard. Scalars are in memory, tensors are read when they are asked for.

    A row is compared with its digest when one of its tensors is read for the first time.
    """

    path: Path
    """Path of the file."""
    content: Callable[[str, int], bytes]
    """Gives the bytes of a tensor, by column and row; safe to call from any thread."""
    scalars: pa.Table
    """All columns that are not tensors, or those that are held."""
    columns: dict[str, TensorColumn]
    """Positions of the tensors in the file, by column."""
    written_by: str
    """The pipeline that writes it, for errors."""
    checked: np.ndarray
    """Whether each row was compared with its digest, bool [rows]."""

    def tensor(self, name: str, row: int) -> np.ndarray:
        """Read one row of a tensor column as a read-only array; safe to call from any thread.

        Raises:
            ProjectError: if the row is damaged; names the file.
        """
        if not self.checked[row]:
            self.check(row)
        return self._read(name, row)

    def check(self, row: int) -> None:
        """Compare a row's tensors with its digest.

        Raises:
            ProjectError: if they are not what was written; names the file.
        """
        try:
            digest = digest_of({name: self._read(name, row) for name in self.columns})
        except (OSError, ValueError, OverflowError, MemoryError) as error:  # a wrong place or size
            if is_remote(self.path) and isinstance(error, OSError):  # the store does not answer
                raise UnreachableError(one_line(error)) from error
            digest = ""
        if digest != self.scalars[DIGEST][row].as_py():
            raise _damaged(self.path, f"row {row} is not what was written", self.written_by)
        self.checked[row] = True

    def _read(self, name: str, row: int) -> np.ndarray:
        column = self.columns[name]
        return np.frombuffer(self.content(name, row), column.dtype).reshape(column.shapes[row])

    def row(self, number: int) -> Row:
        """Read a complete row, as it was written."""
        scalars = self.scalars.slice(number, 1).to_pylist()[0]
        return scalars | {name: self.tensor(name, number) for name in self.columns}


def open_shard(
    path: Path,
    written_by: str = "that writes it",
    open_file: OpenFile | None = None,
    held: Collection[str] | None = None,
) -> ShardFile:
    """Open a shard, and check everything but its tensors.

    Args:
        path: path of the file.
        written_by: the pipeline that writes it, for errors.
        open_file: opens the file if it is on a disk; None keeps it open.
        held: the scalar columns that are held in memory, `digest` among them; None: all.

    Raises:
        UnreachableError: if the store does not give it; names it.
        ProjectError: if it is missing or damaged; names it.
    """
    with _read_errors(path, written_by):
        scalars, columns = _checked_scalars(path)
        if held is not None:
            kept = scalars.select([name for name in scalars.column_names if name in held])
            scalars = pa.ipc.open_stream(_serialised(kept)).read_all()
        rows = (
            RemoteRows(path, columns) if is_remote(path) else _LocalRows(path, columns, open_file)
        )
        checked = np.zeros(len(scalars), bool)
        return ShardFile(path, rows.content, scalars, columns, written_by, checked)


def stored_scalars(path: Path, written_by: str) -> pa.Table:
    """All columns of a shard that are not tensors, read again after the shard was opened.

    Raises:
        UnreachableError: if the store does not give it; names it.
        ProjectError: if it is missing or damaged; names it.
    """
    with _read_errors(path, written_by):
        return _checked_scalars(path)[0]


@contextmanager
def _read_errors(path: Path, written_by: str) -> Iterator[None]:
    """Turn the errors of reading a shard into ProjectError, or UnreachableError of a store."""
    try:
        yield
    except Exception as error:
        is_missing = isinstance(error, FileNotFoundError)
        if is_remote(path) and isinstance(error, OSError) and not is_missing:
            raise UnreachableError(one_line(error)) from error
        # A damaged file raises errors of many types.
        raise _damaged(path, one_line(error), written_by) from error


def _checked_scalars(path: Path) -> tuple[pa.Table, dict[str, TensorColumn]]:
    """The scalars, compared with the digest in the file's name, and the places of the tensors."""
    scalars, columns = read_head(path) if is_remote(path) else _parsed(path)
    if _name(hashlib.sha256(json_text(scalars)).hexdigest()) != path.name:
        raise ValueError("its scalars are not what was written")
    return scalars, columns


def _parsed(path: Path) -> tuple[pa.Table, dict[str, TensorColumn]]:
    """The scalars of a file on a disk, in memory, and the places of its tensors."""
    with pa.memory_map(str(path)) as source:
        content = source.read_buffer(source.size())
        reader = pa.ipc.open_file(content)
        batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
        for batch in batches:
            batch.validate(full=True)  # otherwise a damaged place could be outside the file
        names = [field.name for field in reader.schema if is_tensor(field)]
        columns = {name: locate(batches, name, content.address) for name in names}
        scalars = pa.Table.from_batches(batches).drop_columns(names)
        return pa.ipc.open_stream(_serialised(scalars)).read_all(), columns


class _LocalRows:
    """The tensors of a file on a disk, which is opened again if it was closed."""

    def __init__(
        self, path: Path, columns: dict[str, TensorColumn], open_file: OpenFile | None
    ) -> None:
        self._path, self._columns = path, columns
        self._open_file = open_file or lru_cache(maxsize=1)(FileIO)
        self._open_file(path)  # at once, so that the shard can be read after it was replaced

    def content(self, name: str, row: int) -> bytes:
        file, column = self._open_file(self._path), self._columns[name]  # open while referred to
        return os.pread(file.fileno(), column.row_bytes(row), int(column.offsets[row]))


def _damaged(path: Path, reason: str, written_by: str) -> ProjectError:
    return ProjectError(f"{path}: damaged shard ({reason}); run the pipeline {written_by} again")


def _serialised(table: pa.Table) -> pa.Buffer:
    """Copy of a table in memory, which does not refer to the mapped file."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue()
