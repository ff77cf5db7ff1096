"""Rows that earlier runs of a shard build made, found by what they were made from."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from albedo_pipeline.shards.index import Rejected, Source
from albedo_pipeline.shards.shard_file import Row, ShardFile, open_shard

DIGEST_BYTES = 16
"""Length of the digest of a source; two of ten million sources are equal with a probability of
about 10^-25."""


def source_digest(source: Source) -> bytes:
    """Digest of a source's name and signature."""
    content = f"{len(source.name)} {source.name}{source.signature}"
    # File names may hold bytes that are not UTF-8, which Python keeps as surrogates.
    encoded = content.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(encoded, digest_size=DIGEST_BYTES).digest()


def digests_of(digests: bytes, chunk: range) -> bytes:
    """The part of joined digests that belongs to a chunk of the sources."""
    return digests[chunk.start * DIGEST_BYTES : chunk.stop * DIGEST_BYTES]


@dataclass(frozen=True)
class ChunkRows:
    """What came of each source of a finished chunk."""

    shard: str | None
    """File name of the chunk's shard; None if no source gave a row."""
    digests: bytes
    """Digests of the sources, joined, in the order of the rows."""
    rows: Sequence[int]
    """Number of rows of each source."""
    rejected: dict[int, Rejected]
    """The rejected sources, by place in the chunk."""


@dataclass(frozen=True)
class PreviousResult:
    """What came of a source in an earlier run."""

    shard: str | None
    """File name of the shard with its rows."""
    first: int
    """Number of its first row in the shard."""
    rows: int
    """Number of its rows."""
    rejected: Rejected | None
    """Why it gave none; None if it was used."""


class PreviousRows:
    """Results of earlier runs by source; 32 bytes of memory for each."""

    def __init__(self, chunks: Iterable[ChunkRows] = ()) -> None:
        self._shards: list[str | None] = []
        self._rejected: dict[tuple[int, int], Rejected] = {}
        places: list[np.ndarray] = []  # int32 [sources, 4]: chunk, place, first row, rows
        digests = []
        for number, chunk in enumerate(chunks):
            rows = np.asarray(chunk.rows, np.int32)
            place = np.arange(len(rows), dtype=np.int32)
            first = np.cumsum(rows, dtype=np.int32) - rows
            again = [place for place, rejected in chunk.rejected.items() if rejected.retry]
            kept = np.delete(place, again)
            found = np.stack([np.full_like(place, number), place, first, rows], axis=1)
            places.append(found[kept])
            digests.append(np.frombuffer(chunk.digests, f"S{DIGEST_BYTES}")[kept])
            self._shards.append(chunk.shard)
            self._rejected |= {(number, place): r for place, r in chunk.rejected.items()}
        # Comparing fixed-width bytes is exact: shorter values are padded with zeros.
        self._digests = np.concatenate([np.empty(0, f"S{DIGEST_BYTES}"), *digests])
        self._places = np.concatenate([np.empty((0, 4), np.int32), *places])
        order = np.argsort(self._digests, kind="stable")
        self._digests, self._places = self._digests[order], self._places[order]

    def of(self, digests: bytes) -> list[PreviousResult | None]:
        """The result of each source; None if it was not made, or had another signature.

        Args:
            digests: joined digests of the sources; see `source_digest`.
        """
        wanted = np.frombuffer(digests, self._digests.dtype)
        if not len(self._digests):
            return [None] * len(wanted)
        # Of equal ones, the last: the chunks of this run's records come after older ones.
        found = np.searchsorted(self._digests, wanted, side="right") - 1
        is_held = (found >= 0) & (self._digests[found] == wanted)
        return [
            self._result(*map(int, self._places[place])) if held else None
            for place, held in zip(found, is_held, strict=True)
        ]

    def _result(self, chunk: int, place: int, first: int, rows: int) -> PreviousResult:
        rejected = self._rejected.get((chunk, place))
        return PreviousResult(self._shards[chunk], first, rows, rejected)


class RowCopier:
    """Reads the rows of earlier results, with one shard open at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: tuple[str, ShardFile] | None = None

    def read(self, result: PreviousResult) -> list[Row] | Rejected:
        """Rows of a result, or its rejection."""
        if result.rejected:
            return result.rejected
        if result.shard is None:  # no source of its chunk gave a row
            return []
        if not self._open or self._open[0] != result.shard:
            self._open = (result.shard, open_shard(self._folder / result.shard))
        return [self._open[1].row(result.first + i) for i in range(result.rows)]
