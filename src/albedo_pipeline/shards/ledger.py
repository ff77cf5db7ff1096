"""The record of a shard build: what each finished chunk was made from, and its rows."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.atomic_files import write_text
from albedo_pipeline.runtime.parallel import ordered_map
from albedo_pipeline.runtime.storage import PARALLEL_REQUESTS, files_in, make_folder, read, remove
from albedo_pipeline.shards.index import Rejected, Source
from albedo_pipeline.shards.shard_file import Row, ShardFile, open_shard


@dataclass(frozen=True)
class SourceOutcome:
    """What came of one source."""

    signature: str
    """Signature of the source when its rows were made."""
    rows: int
    """Number of rows it gave."""
    rejected: Rejected | None
    """Why it gave none; None if it was used."""


@dataclass(frozen=True)
class Chunk:
    """A finished chunk."""

    shard: str | None
    """File name of its shard; None if no source gave a row."""
    outcomes: dict[str, SourceOutcome]
    """Outcomes by the name of the source, in the order of the rows."""

    @property
    def is_final(self) -> bool:
        """Whether no source of the chunk should be tried again."""
        return not any(o.rejected and o.rejected.retry for o in self.outcomes.values())


class PreviousRows:
    """Rows that earlier runs made, by source."""

    def __init__(self, folder: Path, chunks: Iterable[Chunk] = ()) -> None:
        self._folder = folder
        self._found: dict[Source, tuple[SourceOutcome, str | None, int]] = {}
        self._open: tuple[str, ShardFile] | None = None
        for chunk in chunks:
            first = 0
            for name, outcome in chunk.outcomes.items():
                if not (outcome.rejected and outcome.rejected.retry):
                    self._found[Source(name, outcome.signature)] = (outcome, chunk.shard, first)
                first += outcome.rows

    def holds(self, source: Source) -> bool:
        """Whether the source was made before, with the same signature."""
        return source in self._found

    def of(self, sources: Iterable[Source]) -> "PreviousRows":
        """The rows of these sources alone, to be sent to another process."""
        part = PreviousRows(self._folder)
        part._found = {source: self._found[source] for source in sources if self.holds(source)}
        return part

    def rejected(self, sources: Iterable[Source]) -> list[Rejected]:
        """The rejections among the sources that are held."""
        outcomes = [self._found[source][0] for source in sources if source in self._found]
        return [outcome.rejected for outcome in outcomes if outcome.rejected]

    def take(self, source: Source) -> list[Row] | Rejected:
        """Rows of a source that is held, or its rejection."""
        outcome, shard, first = self._found[source]
        if outcome.rejected:
            return outcome.rejected
        if shard is None:  # no source of its chunk gave a row
            return []
        if not self._open or self._open[0] != shard:
            self._open = (shard, open_shard(self._folder / shard))
        return [self._open[1].row(first + i) for i in range(outcome.rows)]


class BuildLedger:
    """Small files in a folder beside the shards, one a chunk.

    They stand outside the folder of the shards, which therefore holds nothing that another machine
    would write differently.
    """

    def __init__(self, folder: Path, cache_key: str) -> None:
        self._shards, self._cache_key = folder, cache_key
        self._folder = folder.with_name(f".{folder.name}.ledger")
        make_folder(self._folder)

    def key(self, sources: list[Source]) -> str:
        """Name of the chunk that is made from these sources."""
        content = json.dumps([self._cache_key, [[s.name, s.signature] for s in sources]])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def record(self, key: str, chunk: Chunk) -> None:
        """Record a finished chunk; its shard must be written."""
        size = (self._shards / chunk.shard).stat().st_size if chunk.shard else 0
        content = {"cache_key": self._cache_key, "shard": chunk.shard, "bytes": size}
        outcomes = {name: asdict(outcome) for name, outcome in chunk.outcomes.items()}
        write_text(self._folder / f"{key}.json", json.dumps(content | {"outcomes": outcomes}))

    def chunks(self) -> dict[str, Chunk]:
        """Finished chunks of this cache key whose shard has the recorded size."""
        paths = self._records()
        # Threads, because each record in object storage is a request.
        found = ordered_map(self._read, paths, PARALLEL_REQUESTS)
        return {path.stem: chunk for path, chunk in zip(paths, found, strict=True) if chunk}

    def chunk(self, key: str) -> Chunk:
        """A chunk that this run has recorded.

        Raises:
            ProjectError: if its record or its shard is gone; names the record.
        """
        path = self._folder / f"{key}.json"
        chunk = self._read(path)
        if chunk is None:
            raise ProjectError(f"{path}: was changed while the run wrote it; run it again")
        return chunk

    def keep_only(self, keys: Iterable[str]) -> None:
        """Delete the records of all other chunks."""
        keys = set(keys)
        remove([path for path in self._records() if path.stem not in keys])

    def _records(self) -> list[Path]:
        return [path for path in files_in(self._folder) if path.suffix == ".json"]

    def _read(self, path: Path) -> Chunk | None:
        try:
            content = json.loads(read(path))
            shard = content["shard"]
            is_undamaged = not shard or (self._shards / shard).stat().st_size == content["bytes"]
            if content["cache_key"] != self._cache_key or not is_undamaged:
                return None
            outcomes = {name: _outcome(values) for name, values in content["outcomes"].items()}
        except (KeyError, TypeError, ValueError, FileNotFoundError):  # damaged: made again
            return None
        return Chunk(shard, outcomes)


def _outcome(values: dict) -> SourceOutcome:
    rejected = Rejected(**values["rejected"]) if values["rejected"] else None
    return SourceOutcome(values["signature"], values["rows"], rejected)
