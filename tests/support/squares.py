"""A shard build of squares, which needs no images and no models."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.compute import LOCAL, ComputeParams
from albedo_pipeline.shards.index import Rejected, Source


class Squares:
    """Build whose rows hold a source's value squared; negative values are rejected."""

    label = "squares"
    companions = 0
    retry = False
    most = 1000

    def __init__(
        self,
        values: dict[str, int],
        cache_key: str = "r",
        fails_at: int = -1,
        compute: ComputeParams = LOCAL,
        seconds: float = 0,
    ) -> None:
        self.cache_key, self._values, self._fails_at = cache_key, values, fails_at
        self.compute, self._seconds = compute, seconds
        self.sources = [Source(name, str(value)) for name, value in values.items()]
        self.made: list[str] = []

    def item(self, source: int) -> int:
        return source

    def check_rejected(self, rejected: list[Rejected]) -> None:
        if len(rejected) > self.most:
            raise ProjectError(f"{len(rejected)} are rejected")

    def make(self, chunks: Iterable[Sequence[int]]) -> Iterator:
        for i in chain.from_iterable(chunks):
            if len(self.made) == self._fails_at:
                raise OSError("cut off")
            time.sleep(self._seconds)
            name = self.sources[i].name
            self.made.append(name)
            value = self._values[name]
            if value < 0:
                yield Rejected(name, "g", "negative", self.retry)
            else:
                yield [{"id": name, "x": np.full((2, 2), value**2)}] * (1 + value % 2)


def values(count: int) -> dict[str, int]:
    return {f"s{i}": i if i % 11 else -1 for i in range(count)}
