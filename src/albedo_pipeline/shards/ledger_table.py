"""The records of all chunks of a finished shard build in one Parquet file."""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from albedo_pipeline.errors import UnreachableError, one_line
from albedo_pipeline.runtime.atomic_files import write_bytes
from albedo_pipeline.runtime.storage import is_remote, read
from albedo_pipeline.shards.index import Rejected

logger = logging.getLogger(__name__)
_FILE = "finished.parquet"
_GROUP = 64
"""Number of chunks that are read and written at a time."""
_SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("shard", pa.string()),
        ("size", pa.int64()),
        ("rejected", pa.string()),
        ("sources", pa.binary()),
        ("rows", pa.list_(pa.int32())),
    ]
)


@dataclass(frozen=True)
class Record:
    """The record of one chunk."""

    shard: str | None
    """File name of its shard; None if no source gave a row."""
    size: int
    """Size of the shard in bytes."""
    rejected: dict[int, Rejected]
    """The rejected sources, by place in the chunk."""
    sources: bytes = b""
    """Digests of the sources, joined."""
    rows: Sequence[int] = ()
    """Number of rows of each source."""


class LedgerTable:
    """Reads the table of a ledger; it is empty if it is missing, damaged or of another cache key.

    It is read once to compare all of it with its checksums. After that, what came of the sources of
    a chunk is read when it is asked for, together with that of its neighbours.
    """

    def __init__(self, folder: Path, cache_key: str) -> None:
        """
        Raises:
            UnreachableError: if the store does not give the table; names it.
        """
        self._summaries: dict[str, Record] = {}
        self._place: dict[str, tuple[int, int]] = {}
        self._group: tuple[int, list[dict]] = (-1, [])
        path = folder / _FILE
        try:
            self._open(path, cache_key)
        except UnreachableError:
            raise
        except FileNotFoundError:
            return
        except (KeyError, TypeError, ValueError, OSError, pa.ArrowException) as error:
            logger.warning("%s: damaged (%s), everything is made again", path, one_line(error))
            self._summaries, self._place = {}, {}

    def keys(self) -> list[str]:
        """Keys of the chunks, in the order of the table."""
        return list(self._summaries)

    def summaries(self) -> dict[str, Record]:
        """The records by key, without what came of the sources."""
        return dict(self._summaries)

    def record(self, key: str) -> Record | None:
        """The complete record of a chunk; None if the table has none."""
        if key not in self._place:
            return None
        group, place = self._place[key]
        if self._group[0] != group:
            columns = self._file.read_row_group(group, ["sources", "rows"])
            self._group = (group, columns.to_pylist())
        known, found = self._summaries[key], self._group[1][place]
        return Record(known.shard, known.size, known.rejected, found["sources"], found["rows"])

    def _open(self, path: Path, cache_key: str) -> None:
        file = pa.BufferReader(_read_remote(path)) if is_remote(path) else path.open("rb")
        self._file = pq.ParquetFile(file, page_checksum_verification=True)
        metadata = self._file.schema_arrow.metadata or {}
        if metadata.get(b"cache_key") != cache_key.encode():
            return
        for group in range(self._file.num_row_groups):
            table = self._file.read_row_group(group)  # all columns, to check them
            summary = table.select(["key", "shard", "size", "rejected"]).to_pylist()
            for place, row in enumerate(summary):
                items = json.loads(row["rejected"])
                rejected = {int(k): Rejected(**item) for k, item in items.items()}
                self._summaries[row["key"]] = Record(row["shard"], row["size"], rejected)
                self._place[row["key"]] = (group, place)


def _read_remote(path: Path) -> bytes:
    try:
        return read(path)
    except FileNotFoundError:
        raise
    except OSError as error:  # not damage: what the table names would be made again
        raise UnreachableError(one_line(error)) from error


def write_table(folder: Path, cache_key: str, records: Iterable[tuple[str, Record]]) -> None:
    """Replace the table of a ledger in one step."""
    records, sink = iter(records), pa.BufferOutputStream()
    schema = _SCHEMA.with_metadata({"cache_key": cache_key})
    with pq.ParquetWriter(
        sink, schema, compression="zstd", use_dictionary=False, write_page_checksum=True
    ) as writer:
        while rows := [_row(key, record) for key, record in islice(records, _GROUP)]:
            writer.write_table(pa.Table.from_pylist(rows, schema))
    write_bytes(folder / _FILE, sink.getvalue().to_pybytes())


def _row(key: str, record: Record) -> dict:
    rejected = {str(place): asdict(item) for place, item in record.rejected.items()}
    return vars(record) | {"key": key, "rejected": json.dumps(rejected)}
