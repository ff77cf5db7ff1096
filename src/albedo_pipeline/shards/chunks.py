"""One chunk of a shard build => one shard and its record, in this process or in a worker."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from typing import Any

from albedo_pipeline.shards.index import Rejected
from albedo_pipeline.shards.ledger import BuildLedger
from albedo_pipeline.shards.previous_rows import PreviousResult, RowCopier
from albedo_pipeline.shards.shard_file import Row, ShardWriter

Results = Iterator[list[Row] | Rejected]
"""For each source, in order, its rows or the reason why it has none."""


@dataclass(frozen=True)
class ChunkWork:
    """A chunk that is to be written, complete enough to be sent to another process."""

    key: str
    """Name of the chunk in the ledger."""
    digests: bytes
    """Joined digests of all sources of the chunk, in the order of the rows."""
    items: list[Any]
    """What the build's `make` needs of the sources whose rows no earlier run made."""
    previous: list[PreviousResult | None]
    """For each source, what an earlier run made of it; None for those of `items`."""


@dataclass(frozen=True)
class ChunkWriter:
    """Writes chunks; a chunk that is written twice leaves the same files."""

    folder: Path
    make: Callable[[Iterable[Sequence[Any]]], Results]
    ledger: BuildLedger

    def write_all(self, works: Iterable[ChunkWork], watched: Callable[[Results], Results]) -> None:
        """Write chunks in one stream, so that making rows does not stop at the end of a chunk.

        A finished shard is flushed to the disk by another thread while the next one is filled. No
        more than two wait for it.

        Args:
            works: the chunks; they are taken as the results need them.
            watched: passes the new results on.
        """
        for_items, for_shards = tee(works)
        results = watched(self.make(work.items for work in for_items))
        with ThreadPoolExecutor(1) as publisher:
            earlier: Future[None] | None = None
            for work in for_shards:
                later = publisher.submit(self._filled(work, results))
                if earlier:
                    earlier.result()
                earlier = later
            if earlier:
                earlier.result()
        for _ in results:  # exhausted, so that the progress shows its end
            pass

    def write(self, work: ChunkWork) -> list[Rejected | None]:
        """Write one chunk; returns the new rejections, and None for each other new result."""
        outcomes: list[Rejected | None] = []

        def noted(results: Results) -> Results:
            for result in results:
                outcomes.append(result if isinstance(result, Rejected) else None)
                yield result

        publish = self._filled(work, noted(self.make([work.items])))
        publish()
        return outcomes

    def _filled(self, work: ChunkWork, results: Results) -> Callable[[], None]:
        """Fill the shard of a chunk; returns what publishes it and then records the chunk."""
        rows, rejected = [], {}
        copier = RowCopier(self.folder)
        with ExitStack() as stack:
            shard = stack.enter_context(ShardWriter(self.folder))
            for place, previous in enumerate(work.previous):
                result = copier.read(previous) if previous else next(results)
                if isinstance(result, Rejected):
                    rejected[place], result = result, []
                for row in result:
                    shard.add(row)
                rows.append(len(result))
            filled = stack.pop_all()

        def publish() -> None:
            filled.close()
            self.ledger.record(work.key, shard.name, work.digests, rows, rejected)

        return publish
