"""Writes rows that exist already as shards, with a shard build as `ingest` and `encode` use."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from albedo_pipeline.params.compute import LOCAL
from albedo_pipeline.shards.datasets import ShardsDataset
from albedo_pipeline.shards.index import Rejected, Source
from albedo_pipeline.shards.shard_file import Row, ShardWriter


def write_shard(folder: Path, rows: Iterable[Row]) -> str | None:
    """Write the rows as one file; see `ShardWriter`.

    Returns:
        Name of the file; None if there are no rows.
    """
    with ShardWriter(folder) as shard:
        for row in rows:
            shard.add(row)
    return shard.name


class RowBuild:
    """Shard build of rows and rejections that are given; each is a source."""

    label = "rows"
    companions = 0
    compute = LOCAL

    def __init__(self, rows: Iterable[Row | Rejected], count: int) -> None:
        self.cache_key = uuid.uuid4().hex  # nothing of an earlier build is used
        self.sources = [Source(str(number), "") for number in range(count)]
        self._rows = iter(rows)

    def item(self, source: int) -> int:
        """The place of a source; `make` takes the rows in this order."""
        return source

    def check_rejected(self, rejected: list[Rejected]) -> None:
        """Accept any number of rejections."""

    def make(self, chunks: Iterable[Sequence[int]]) -> Iterator[list[Row] | Rejected]:
        """Yield the row or the rejection of each source."""
        for chunk in chunks:
            for _ in chunk:
                result = next(self._rows)
                yield result if isinstance(result, Rejected) else [result]


def save_rows(
    dataset: ShardsDataset, rows: Iterable[Row | Rejected], count: int | None = None
) -> None:
    """Replace the content of a folder of shards.

    Args:
        dataset: the folder.
        rows: the rows, in their order, with rejections between them.
        count: their number; None holds all of them in memory to count them.
    """
    if count is None:
        rows = list(rows)
        count = len(rows)
    dataset.save(RowBuild(rows, count))
