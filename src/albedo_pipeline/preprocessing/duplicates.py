"""Samples that are there twice, exactly or nearly."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from albedo_pipeline.imaging.pixels import dequantize
from albedo_pipeline.imaging.resize import resize_image
from albedo_pipeline.shards.pair_shards import PairShards

BANDS = 4
"""Parts of the 64-bit code. Codes that differ in fewer bits than this agree in one of them."""
MAX_BITS = BANDS - 1
NEIGHBOURS = 64
MAX_DIFFERENCE = 0.02
"""Mean sRGB difference of near duplicates, on 16 x 16 areas, each picture scaled to mean 0.5."""


@dataclass(frozen=True)
class Duplicates:
    """For each sample the row of the first one that it repeats, or -1."""

    exact: np.ndarray
    near: np.ndarray


def find_duplicates(pairs: PairShards, manifest: pd.DataFrame) -> Duplicates:
    """Exact: all stored pixels agree. Near: the beauties look alike, from different groups.

    Views of one group may well look alike; across groups they may be in two splits.
    """
    exact = _first_equal(manifest["digest"])
    codes = manifest["look"].to_numpy(np.int64).view(np.uint64)
    groups = pd.factorize(manifest["group"])[0]
    splits = manifest["split"].to_numpy()
    near = np.full(len(manifest), -1)
    looks: dict[int, np.ndarray] = {}
    for first, second in _candidates(codes, groups):
        known = near[second]
        # One that stands in another split tells more than one of the same.
        is_news = known < 0 or splits[known] == splits[second] != splits[first]
        if is_news and exact[second] < 0:
            pictures = [_look(pairs, row, looks) for row in (first, second)]
            if np.abs(pictures[0] - pictures[1]).mean() <= MAX_DIFFERENCE:
                near[second] = first
    return Duplicates(exact, near)


def _first_equal(digests: pd.Series) -> np.ndarray:
    first: dict[str, int] = {}
    rows = [first.setdefault(digest, row) for row, digest in enumerate(digests)]
    return np.where(np.array(rows) == np.arange(len(rows)), -1, rows)


def _candidates(codes: np.ndarray, groups: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs of rows of different groups whose codes differ in at most `MAX_BITS` bits; of many
    that look alike, each with its `NEIGHBOURS` in the order of the codes."""
    for band in range(BANDS):
        part = (codes >> np.uint64(16 * band)).astype(np.uint16)
        order = np.lexsort((codes, part))
        for distance in range(1, min(NEIGHBOURS, len(codes) - 1) + 1):
            first, second = order[:-distance], order[distance:]
            alike = (part[first] == part[second]) & (groups[first] != groups[second])
            alike &= np.bitwise_count(codes[first] ^ codes[second]) <= MAX_BITS
            found = np.sort(np.stack([first[alike], second[alike]], axis=1), axis=1)
            yield from map(tuple, found.tolist())


def _look(pairs: PairShards, row: int, known: dict[int, np.ndarray]) -> np.ndarray:
    if row not in known:
        if len(known) > 10_000:
            known.clear()
        picture = dequantize(pairs.tensor("beauty", row).transpose(1, 2, 0))
        small = resize_image(picture, 16, 16)
        known[row] = small * (0.5 / max(float(small.mean()), 1e-6))
    return known[row]
