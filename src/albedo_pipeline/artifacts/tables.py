"""Tables in Parquet files, with a digest by which a reader sees that they are what was written."""

import hashlib
import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro_datasets.pandas import ParquetDataset

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.runtime.atomic_files import write_bytes
from albedo_pipeline.runtime.storage import location, make_folder, read

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
        place = _STORED.search(content)
        assert place is not None  # Parquet stores metadata as they are
        make_folder(self._path.parent)
        write_bytes(self._path, _with_digest(content, place.span(1)))


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
    content = read(path)
    try:
        # Found in the bytes, because damaged metadata may parse as fewer entries.
        stored = _STORED.search(content)
        if stored and _with_digest(content, stored.span(1)) != content:
            raise ValueError("not what was written")
        table = pd.read_parquet(BytesIO(content))
    except Exception as error:  # a damaged file raises errors of many types
        raise ProjectError(
            f"{path}: damaged table ({one_line(error)}); run the pipeline {written_by} again"
        ) from error
    missing = [name for name in columns if name not in table]
    if missing:
        raise ProjectError(
            f"{path}: no column {', '.join(missing)}; run the pipeline {written_by} again"
        )
    return table


def _with_digest(content: bytes, place: tuple[int, int]) -> bytes:
    """The file with its digest at a place, start and end in bytes."""
    before, after = content[: place[0]], content[place[1] :]
    digest = hashlib.sha256(before + _NO_DIGEST.encode() + after).hexdigest()
    return before + digest.encode() + after
