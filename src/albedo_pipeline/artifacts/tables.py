"""Tables in Parquet files, with a digest by which a reader sees that they are what was written."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro_datasets.pandas import ParquetDataset

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.provenance.lineage import PAIR_COLUMNS, RULE_COLUMN, part_of_manifest
from albedo_pipeline.runtime.atomic_files import write_bytes
from albedo_pipeline.runtime.storage import is_remote, location, make_folder, read

_KEY = "albedo_pipeline.sha256"
_NO_DIGEST = "0" * 64
_STORED = re.compile(_KEY.encode() + rb"..([0-9a-f]{64})", re.DOTALL)
"""The digest in the file: between key and value, Thrift writes a type and a length."""


class TableDataset(ParquetDataset):
    """A table in a Parquet file, which appears complete or not at all.

    The file's metadata hold its digest: the SHA-256 of the file with zeros in the digest's place.

    Args:
        filepath: path of the file, or its URL.
        written_by: the pipeline that writes it, for errors.
        columns: columns that it must have when it is read.
    """

    def __init__(
        self,
        *,
        filepath: str,
        written_by: str,
        columns: Iterable[str] = (),
        metadata: dict | None = None,
    ) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        self._path = location(filepath)
        self._written_by = written_by
        self._columns = tuple(columns)

    def load(self) -> pd.DataFrame:
        """Read the table; see `read_table`."""
        return read_table(self._path, self._written_by, self._columns)

    def save(self, data: pd.DataFrame) -> None:
        """Write the table."""
        file, table = BytesIO(), pa.Table.from_pandas(data)
        with pq.ParquetWriter(file, table.schema) as writer:
            writer.write_table(table)
            writer.add_key_value_metadata({_KEY: _NO_DIGEST})
        content = file.getvalue()
        stored = _STORED.search(content)
        assert stored is not None  # Parquet stores metadata as they are
        start, stop = stored.span(1)
        make_folder(self._path.parent)
        digest = _digest(content, (start, stop))
        write_bytes(self._path, content[:start] + digest + content[stop:])


class ManifestDataset(TableDataset):
    """The manifest; a program gets those of its columns that say which pair is in which split.

    The scalars of `pairs` have the others, too.

    Args:
        filepath: path of the file, or its URL.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        super().__init__(filepath=filepath, written_by="ingest", metadata=metadata)

    def load(self) -> pd.DataFrame:
        """Read the table; see `read_manifest`."""
        return read_manifest(self._path)


def read_table(path: Path, written_by: str, columns: Iterable[str] = ()) -> pd.DataFrame:
    """Read a table; a file of an earlier version, which has no digest, is not checked.

    Args:
        path: path of the file.
        written_by: the pipeline that writes it, for errors.
        columns: columns that it must have.

    Raises:
        FileNotFoundError: if there is no file.
        ProjectError: if the file is damaged, or lacks a column; names both.
    """
    with _undamaged(path, written_by) as content:
        table = _frame(content)
    _check_columns(path, written_by, columns, table)
    return table


def read_manifest(path: Path) -> pd.DataFrame:
    """Read the columns of a manifest that say which pair is in which split.

    The others are compared with the table's digest, with one column in memory at a time.

    Raises:
        FileNotFoundError: if there is no file.
        ProjectError: if the file is damaged, lacks a column, or was changed after it was made.
    """
    needed = ("row", *PAIR_COLUMNS)
    with _undamaged(path, "ingest") as content:
        names = list(pq.read_schema(content).empty_table().to_pandas())
        table = _frame(content, [name for name in names if name in (*needed, RULE_COLUMN)])
        _check_columns(path, "ingest", needed, table)
        return part_of_manifest(table, ((name, _frame(content, [name])[name]) for name in names))


def _frame(content: pa.Buffer, columns: list[str] | None = None) -> pd.DataFrame:
    return pd.read_parquet(pa.BufferReader(content), columns=columns)


@contextmanager
def _undamaged(path: Path, written_by: str) -> Iterator[pa.Buffer]:
    """The content of a table's file, compared with its digest; errors while it is used name it."""
    try:
        content = pa.py_buffer(read(path)) if is_remote(path) else _mapped(path)
        # Found in the bytes, because damaged metadata may parse as fewer entries.
        stored = _STORED.search(content)
        if stored and _digest(content, stored.span(1)) != stored[1]:
            raise ValueError("not what was written")
        yield content
    except (FileNotFoundError, ProjectError):
        raise
    except Exception as error:  # a damaged file raises errors of many types
        raise ProjectError(
            f"{path}: damaged table ({one_line(error)}); run the pipeline {written_by} again"
        ) from error


def _mapped(path: Path) -> pa.Buffer:
    path.stat()  # its error has the file's name by itself, unlike that of pyarrow
    with pa.memory_map(str(path)) as source:
        return source.read_buffer()


def _check_columns(
    path: Path, written_by: str, columns: Iterable[str], table: pd.DataFrame
) -> None:
    if missing := [name for name in columns if name not in table]:
        raise ProjectError(
            f"{path}: no column {', '.join(missing)}; run the pipeline {written_by} again"
        )


def _digest(content: bytes | pa.Buffer, place: tuple[int, int]) -> bytes:
    """The digest of a file's content that belongs at a place in it, start and end in bytes."""
    view, digest = memoryview(content), hashlib.sha256()
    for part in (view[: place[0]], _NO_DIGEST.encode(), view[place[1] :]):
        digest.update(part)
    return digest.hexdigest().encode()
