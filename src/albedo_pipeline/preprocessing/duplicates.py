"""Samples that repeat others, exactly or nearly."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from albedo_pipeline.imaging.pixels import dequantize
from albedo_pipeline.imaging.resize import resize_image
from albedo_pipeline.shards.pair_shards import PairShards

BANDS = 4
"""Number of 16-bit parts of a 64-bit code. Codes that differ in at most BANDS - 1 bits have at
least one equal part, so only codes with an equal part are compared."""
MAX_BITS = BANDS - 1
"""Number of bits in which the codes of near duplicates may differ."""
NEIGHBOURS = 64
"""Number of codes, next in order, that each code is compared with."""
MAX_DIFFERENCE = 0.02
"""Mean sRGB difference of near duplicates, on 16 x 16 areas, each image scaled to mean 0.5."""
_MAX_THUMBNAILS = 10_000
"""Number of thumbnails that are kept in memory."""


@dataclass(frozen=True)
class Duplicates:
    """For each sample, the row of the first sample that it repeats, or -1."""

    exact: np.ndarray
    """Rows of samples with equal pixels, int64 [samples]."""
    near: np.ndarray
    """Rows of samples with a similar beauty, int64 [samples]."""


def find_duplicates(pairs: PairShards, manifest: pd.DataFrame) -> Duplicates:
    """Find the samples that repeat others.

    Exact duplicates have equal stored pixels. Near duplicates have similar beauties and are of
    different groups: views of one group are expected to look alike and are in one split, but
    samples of different groups may be in two splits.
    """
    exact = _first_equal(manifest["digest"])
    codes = manifest["look"].to_numpy(np.int64).view(np.uint64)
    groups = pd.factorize(manifest["group"])[0]
    splits = manifest["split"].to_numpy()
    near = np.full(len(manifest), -1)
    thumbnails: dict[int, np.ndarray] = {}
    for first, second in _candidates(codes, groups):
        known = near[second]
        # A duplicate in another split replaces one in the same split, because it is a leak.
        is_better = known < 0 or splits[known] == splits[second] != splits[first]
        if is_better and exact[second] < 0:
            images = [_thumbnail(pairs, row, thumbnails) for row in (first, second)]
            if np.abs(images[0] - images[1]).mean() <= MAX_DIFFERENCE:
                near[second] = first
    return Duplicates(exact, near)


def _first_equal(digests: pd.Series) -> np.ndarray:
    values, rows = pd.factorize(digests)[0], np.arange(len(digests))
    first = np.empty(values.max(initial=-1) + 1, np.int64)
    first[values[::-1]] = rows[::-1]  # of several assignments to one place, the last one stays
    return np.where(first[values] == rows, -1, first[values])


def _candidates(codes: np.ndarray, groups: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield pairs of rows of different groups whose codes differ in at most `MAX_BITS` bits.

    If many codes share a part, each is compared with its `NEIGHBOURS` next ones only.
    """
    for band in range(BANDS):
        part = (codes >> np.uint64(16 * band)).astype(np.uint16)
        order = np.lexsort((codes, part))
        part, sorted_codes, sorted_groups = part[order], codes[order], groups[order]
        first = np.arange(len(codes))
        for distance in range(1, NEIGHBOURS + 1):
            # Equal parts lie together, so a row with no equal one here has none further away.
            first = first[: np.searchsorted(first, len(codes) - distance)]
            first = first[part[first] == part[first + distance]]
            if not len(first):
                break
            second = first + distance
            alike = np.bitwise_count(sorted_codes[first] ^ sorted_codes[second]) <= MAX_BITS
            alike &= sorted_groups[first] != sorted_groups[second]
            rows = np.stack([order[first[alike]], order[second[alike]]], axis=1)
            yield from map(tuple, np.sort(rows, axis=1).tolist())


def _thumbnail(pairs: PairShards, row: int, known: dict[int, np.ndarray]) -> np.ndarray:
    """float32 [16, 16, 3], scaled to mean 0.5; taken from `known`, or added to it."""
    if row not in known:
        if len(known) > _MAX_THUMBNAILS:
            known.clear()
        image = dequantize(pairs.tensor("beauty", row).transpose(1, 2, 0))
        small = resize_image(image, 16, 16)
        known[row] = small * (0.5 / max(float(small.mean()), 1e-6))
    return known[row]
