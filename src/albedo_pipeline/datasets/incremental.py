"""Shards that are made piece by piece: what is there already is not made again.

The rows' sources are divided into chunks, one shard a chunk. Where a chunk ends is decided by the
names of its sources alone, so that adding or removing some touches only the chunks they are in.
What a finished chunk was made from is noted beside the folder. The result is a function of the
sources: a run that was killed and continued, or that made only what had changed, or that was
shared among processes, leaves the same bytes as one that made everything.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from albedo_pipeline.datasets.atomic import write_text
from albedo_pipeline.datasets.locks import locked
from albedo_pipeline.datasets.shard_files import Row, ShardFile, open_shard, write_shard
from albedo_pipeline.datasets.shard_index import Index, Rejected, publish, sweep_partial
from albedo_pipeline.processes import rank, wait_for_all, world_size
from albedo_pipeline.progress import progress

logger = logging.getLogger(__name__)
_LONGEST = 4
"""Sources of the longest chunk, in mean lengths."""


@dataclass(frozen=True)
class Source:
    """What some rows are made from."""

    name: str
    signature: str
    """Another one means: make the rows again."""


@runtime_checkable
class Work(Protocol):
    """Rows that are to be made."""

    @property
    def label(self) -> str:
        """For the progress."""

    @property
    def recipe(self) -> str:
        """A digest of everything but the source that the rows depend on."""

    @property
    def sources(self) -> Sequence[Source]:
        """What the rows are made from, in their order."""

    def make(
        self, chunks: list[list[int]], rejected: list[Rejected]
    ) -> Iterator[list[Row] | Rejected]:
        """Rows of each wanted source, in order, chunk by chunk, or why there are none.

        `rejected` are those of the other sources.
        """


@dataclass(frozen=True)
class _Made:
    """What is known of a source that was worked on before."""

    signature: str
    rows: int
    rejected: Rejected | None


@dataclass(frozen=True)
class _Chunk:
    """A finished chunk."""

    shard: str | None
    """None where no source gave a row."""
    sources: dict[str, _Made]

    @property
    def is_final(self) -> bool:
        """Whether no source is to be tried again."""
        return not any(m.rejected and m.rejected.passing for m in self.sources.values())


def chunk_bounds(names: Sequence[str], mean: int) -> list[range]:
    """Consecutive runs of names, about `mean` long, that end where a name's digest says so."""
    bounds, start = [], 0
    for place, name in enumerate(names):
        last = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % mean == 0
        length = place + 1 - start
        if last or length == _LONGEST * mean or place + 1 == len(names):
            bounds.append(range(start, place + 1))
            start = place + 1
    return bounds


def write_work(folder: Path, work: Work, mean: int) -> None:
    """Make what is missing of the work and publish the whole; see the module.

    Under torchrun each process makes every n-th chunk, and all leave when all is there.

    Raises:
        ProjectError: where another run writes the folder.
    """
    with locked(folder, f"another {work.label}") if rank() == 0 else nullcontext():
        _write(folder, work, mean)


def _write(folder: Path, work: Work, mean: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    notes = _Notes(folder, work.recipe)
    chunks = chunk_bounds([source.name for source in work.sources], mean)
    keys = [notes.key([work.sources[i] for i in chunk]) for chunk in chunks]
    known = notes.chunks()
    if rank() == 0:
        sweep_partial(folder)
    wait_for_all()  # so that all see the same ones as missing
    missing = [n for n, key in enumerate(keys) if key not in known or not known[key].is_final]
    old = _Old(folder, known.values())
    if missing:
        logger.info(
            "%s: %d of %d samples to make, the others are there",
            work.label,
            sum(not old.holds(work.sources[i]) for n in missing for i in chunks[n]),
            len(work.sources),
        )
    mine = missing[rank() :: world_size()]
    _make(folder, work, [(keys[n], chunks[n]) for n in mine], notes, old)
    wait_for_all()
    if rank() == 0:
        finished = notes.chunks()
        made = [m for key in keys for m in finished[key].sources.values()]
        shards = [finished[key].shard for key in keys]
        publish(folder, Index([s for s in shards if s], [m.rejected for m in made if m.rejected]))
        notes.keep_only(keys)
    wait_for_all()


def _make(
    folder: Path,
    work: Work,
    chunks: list[tuple[str, range]],
    notes: "_Notes",
    old: "_Old",
) -> None:
    """Write the shards of some chunks, taking over the rows whose source is unchanged."""
    wanted = [[i for i in chunk if not old.holds(work.sources[i])] for _, chunk in chunks]
    total = sum(len(chunk) for _, chunk in chunks)
    to_make = sum(map(len, wanted))
    rejected = old.rejected(work.sources)
    new = progress(work.make(wanted, rejected), total, work.label, done=total - to_make)
    for (key, chunk), fresh in zip(chunks, wanted, strict=True):
        is_new = set(fresh)
        made: dict[str, _Made] = {}

        def rows(
            chunk: range = chunk, is_new: set[int] = is_new, made: dict[str, _Made] = made
        ) -> Iterator[Row]:
            for i in chunk:
                source = work.sources[i]
                result = next(new) if i in is_new else old.take(source)
                if isinstance(result, Rejected):
                    made[source.name] = _Made(source.signature, 0, result)
                else:
                    made[source.name] = _Made(source.signature, len(result), None)
                    yield from result

        notes.write(key, _Chunk(write_shard(folder, rows()), made))
    for _ in new:  # lets the progress say that it is at its end
        pass


class _Old:
    """Rows of earlier runs."""

    def __init__(self, folder: Path, chunks: Iterable[_Chunk]) -> None:
        self._folder = folder
        self._found: dict[Source, tuple[_Made, str | None, int]] = {}
        self._open: tuple[str, ShardFile] | None = None
        for chunk in chunks:
            first = 0
            for name, made in chunk.sources.items():
                if not (made.rejected and made.rejected.passing):
                    self._found[Source(name, made.signature)] = (made, chunk.shard, first)
                first += made.rows

    def holds(self, source: Source) -> bool:
        return source in self._found

    def rejected(self, sources: Iterable[Source]) -> list[Rejected]:
        made = [self._found[source][0] for source in sources if source in self._found]
        return [one.rejected for one in made if one.rejected]

    def take(self, source: Source) -> list[Row] | Rejected:
        made, shard, first = self._found[source]
        if made.rejected:
            return made.rejected
        if shard is None:  # no source of its chunk gave a row
            return []
        if not self._open or self._open[0] != shard:
            self._open = (shard, open_shard(self._folder / shard))
        return [self._open[1].row(first + i) for i in range(made.rows)]


class _Notes:
    """What finished chunks were made from: small files in a folder beside the shards, so that the
    shards themselves hold nothing that another machine would write differently."""

    def __init__(self, folder: Path, recipe: str) -> None:
        self._shards, self._recipe = folder, recipe
        self._folder = folder.with_name(f".{folder.name}.notes")
        self._folder.mkdir(parents=True, exist_ok=True)

    def key(self, sources: list[Source]) -> str:
        content = json.dumps([self._recipe, [[s.name, s.signature] for s in sources]])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def write(self, key: str, chunk: _Chunk) -> None:
        size = (self._shards / chunk.shard).stat().st_size if chunk.shard else 0
        content = {"recipe": self._recipe, "shard": chunk.shard, "bytes": size}
        sources = {name: asdict(made) for name, made in chunk.sources.items()}
        write_text(self._folder / f"{key}.json", json.dumps(content | {"sources": sources}))

    def chunks(self) -> dict[str, _Chunk]:
        """Finished chunks of this recipe whose shard is there, and whole."""
        found = {path.stem: self._read(path) for path in self._folder.glob("*.json")}
        return {key: chunk for key, chunk in found.items() if chunk}

    def _read(self, path: Path) -> _Chunk | None:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            shard = content["shard"]
            is_whole = not shard or (self._shards / shard).stat().st_size == content["bytes"]
            if content["recipe"] != self._recipe or not is_whole:
                return None
            made = {name: _made(values) for name, values in content["sources"].items()}
        except (KeyError, TypeError, ValueError, FileNotFoundError):  # damaged: made again
            return None
        return _Chunk(shard, made)

    def keep_only(self, keys: Iterable[str]) -> None:
        keys = set(keys)
        for path in self._folder.glob("*.json"):
            if path.stem not in keys:
                path.unlink()


def _made(values: dict) -> _Made:
    rejected = values["rejected"]
    return _Made(values["signature"], values["rows"], Rejected(**rejected) if rejected else None)
