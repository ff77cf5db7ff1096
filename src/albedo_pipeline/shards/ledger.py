"""The record of a shard build: what each finished chunk was made from, and its rows."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.atomic_files import write_text
from albedo_pipeline.runtime.parallel import ordered_map
from albedo_pipeline.runtime.storage import PARALLEL_REQUESTS, files_in, make_folder, read, remove
from albedo_pipeline.shards.index import Rejected
from albedo_pipeline.shards.ledger_table import LedgerTable, Record, write_table
from albedo_pipeline.shards.previous_rows import ChunkRows


@dataclass(frozen=True)
class Chunk:
    """A finished chunk."""

    shard: str | None
    """File name of its shard; None if no source gave a row."""
    rejected: tuple[Rejected, ...]
    """The rejected sources, in the order of the rows."""

    @property
    def is_final(self) -> bool:
        """Whether no source of the chunk should be tried again."""
        return not any(item.retry for item in self.rejected)


class BuildLedger:
    """Records of finished chunks in a folder beside the shards.

    Whoever finishes a chunk writes its record as a file of its own, which appears complete or not
    at all; so many processes can write, and a chunk is either finished or missing. When the build
    is published, the records are gathered in one table. Of a chunk that has not changed, only a few
    words are held in memory; what each of its sources gave is read if it is needed.

    The folder stands outside that of the shards, which therefore holds nothing that another machine
    would write differently.
    """

    def __init__(self, folder: Path, cache_key: str) -> None:
        self._shards, self._cache_key = folder, cache_key
        self._folder = folder.with_name(f".{folder.name}.ledger")
        make_folder(self._folder)

    def key(self, digests: bytes) -> str:
        """Name of the chunk that is made from sources with these joined digests."""
        return hashlib.sha256(self._cache_key.encode() + digests).hexdigest()[:16]

    def record(
        self,
        key: str,
        shard: str | None,
        digests: bytes,
        rows: Sequence[int],
        rejected: dict[int, Rejected],
    ) -> None:
        """Record a finished chunk; its shard must be written.

        Args:
            key: from `key`.
            shard: file name of its shard; None if no source gave a row.
            digests: joined digests of its sources, in the order of the rows.
            rows: number of rows of each source.
            rejected: the rejected sources, by place among the sources.
        """
        content = {
            "cache_key": self._cache_key,
            "shard": shard,
            "size": (self._shards / shard).stat().st_size if shard else 0,
            "rejected": {str(place): asdict(item) for place, item in rejected.items()},
            "sources": base64.b64encode(digests).decode(),
            "rows": list(rows),
        }
        write_text(self._path(key), json.dumps(content))

    def chunks(self) -> dict[str, Chunk]:
        """Finished chunks of this cache key whose shard has the recorded size."""
        records = LedgerTable(self._folder, self._cache_key).summaries()
        # Threads, because each record and each shard in object storage is a request.
        keys = sorted(self._single())
        found = zip(keys, ordered_map(self._read, keys, PARALLEL_REQUESTS), strict=True)
        records |= {key: record for key, record in found if record}
        are_there = ordered_map(self._is_there, records.values(), PARALLEL_REQUESTS)
        pairs = zip(records.items(), are_there, strict=True)
        return {key: _chunk(record) for (key, record), is_there in pairs if is_there}

    def chunk(self, key: str) -> Chunk:
        """A chunk that this run has recorded.

        Raises:
            ProjectError: if its record or its shard is gone; names the record.
        """
        record = self._read(key)
        if record is None or not self._is_there(record):
            path = self._path(key)
            raise ProjectError(f"{path}: was changed while the run wrote it; run it again")
        return _chunk(record)

    def rows(self, keys: Iterable[str]) -> Iterator[ChunkRows]:
        """What came of each source of finished chunks."""
        return (
            ChunkRows(record.shard, record.sources, record.rows, record.rejected)
            for _, record in self._records(keys)
        )

    def publish(self, keys: list[str]) -> None:
        """Gather the records of these chunks in one table, and delete all others."""
        single = self._single()
        if single or LedgerTable(self._folder, self._cache_key).keys() != keys:
            write_table(self._folder, self._cache_key, self._records(keys))
        remove([self._path(key) for key in single])

    def _records(self, keys: Iterable[str]) -> Iterator[tuple[str, Record]]:
        table, single, keys = LedgerTable(self._folder, self._cache_key), self._single(), list(keys)

        def read_single(key: str) -> Record | None:
            return self._read(key) if key in single else None

        found = ordered_map(read_single, keys, PARALLEL_REQUESTS)
        for key, newer in zip(keys, found, strict=True):
            # A record of its own is newer than the one in the table, whose shard may be gone.
            if record := newer or table.record(key):
                yield key, record

    def _single(self) -> set[str]:
        """Keys of the chunks that have a record of their own."""
        return {path.stem for path in files_in(self._folder) if path.suffix == ".json"}

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _is_there(self, record: Record) -> bool:
        try:
            size = (self._shards / record.shard).stat().st_size if record.shard else 0
        except FileNotFoundError:
            return False
        return size == record.size

    def _read(self, key: str) -> Record | None:
        try:
            content = json.loads(read(self._path(key)))
            if content["cache_key"] != self._cache_key:
                return None
            rejected = {int(k): Rejected(**item) for k, item in content["rejected"].items()}
            sources = base64.b64decode(content["sources"])
            return Record(content["shard"], content["size"], rejected, sources, content["rows"])
        except (AttributeError, KeyError, TypeError, ValueError, FileNotFoundError):
            return None  # missing or damaged: the chunk is made again


def _chunk(record: Record) -> Chunk:
    return Chunk(record.shard, tuple(item for _, item in sorted(record.rejected.items())))
