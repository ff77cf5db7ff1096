"""Tiles of a large picture: where they lie, how they are weighted, and what tone they take.

A picture's prediction as a whole knows its tone but not its details; tiles know the details, but
each guesses a tone of its own. So every tile is scaled to the tone of the whole, and neighbours
are blended where they overlap. Rows of tiles are done one after another: of the blended picture
only one such row is in memory as floats.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from albedo_pipeline.imaging.resize import resize_image

_CELLS = 32
"""Cells on a tile's longer side whose means are compared with those of the whole picture."""
_DARK = 0.001
"""Is added to linear values before they are compared: black says nothing of the tone."""
_EXTREMES = (0.1, 0.9)
_LARGEST_GAIN = 2.0


@dataclass(frozen=True)
class Axis:
    """Tiles along one axis of a picture, in order."""

    parts: list[slice]
    weights: list[np.ndarray]
    """float32, of each part's pixels; at every pixel those of all parts add up to 1."""


def axis_tiles(length: int, tile: int, overlap: float, cell: int) -> Axis:
    """Tiles of at most `tile` pixels that begin at whole cells and are spread evenly.

    Args:
        tile: side of a tile, a multiple of `cell`.
        overlap: of neighbours, at least, as a share of `tile` (but for rounding to cells).
        cell: pixels that are one latent cell wide.
    """
    if length <= tile:
        return Axis([slice(0, length)], [np.ones(length, np.float32)])
    stride = max(cell, int(tile * (1 - overlap)) // cell * cell)
    count = -(-(length - tile) // stride) + 1
    last = -(-(length - tile) // cell)
    firsts = [cell * (last * i // (count - 1)) for i in range(count)]
    parts = [slice(first, min(first + tile, length)) for first in firsts]
    raw = [_ramps(part, length, round(overlap * tile)) for part in parts]
    total = np.zeros(length, np.float32)
    for part, weights in zip(parts, raw, strict=True):
        total[part] += weights
    return Axis(parts, [w / total[part] for part, w in zip(parts, raw, strict=True)])


def _ramps(part: slice, length: int, width: int) -> np.ndarray:
    """Weights that rise and fall smoothly over `width` pixels, but not at the picture's ends."""
    size = part.stop - part.start
    place = np.arange(size, dtype=np.float32) + 0.5
    ends = (place if part.start else np.inf, size - place if part.stop < length else np.inf)
    share = np.clip(np.minimum(*ends) / max(1, width), 0, 1) * np.ones(size, np.float32)
    return (share * share * (3 - 2 * share)).astype(np.float32)


def blend(down: Axis, across: Axis, channels: int, tiles: Iterator[np.ndarray]) -> np.ndarray:
    """Tiles => the whole picture, float16 [H, W, channels].

    Args:
        tiles: float32 [h, w, channels], row by row, each taken when it is wanted.
    """
    height, width = down.parts[-1].stop, across.parts[-1].stop
    result = np.empty((height, width, channels), np.float16)
    tallest = max(part.stop - part.start for part in down.parts)
    sums = np.zeros((tallest, width, channels), np.float32)
    following = [part.start for part in down.parts[1:]] + [height]
    for rows, below, next_start in zip(down.parts, down.weights, following, strict=True):
        for columns, beside in zip(across.parts, across.weights, strict=True):
            weight = below[:, None, None] * beside[:, None]
            sums[: len(below), columns] += weight * next(tiles)
        done = next_start - rows.start
        result[rows.start : next_start] = sums[:done]
        sums[:-done] = sums[done:].copy()  # what the next row of tiles reaches into
        sums[-done:] = 0
    return result


def enlarged(whole: np.ndarray, height: int, width: int, rows: slice, columns: slice) -> np.ndarray:
    """A part of `whole`, [h, w, C], as it would be enlarged (bilinear) to height and width."""
    low, high, share = _between(whole.shape[0], height, rows)
    part = whole[low] + (whole[high] - whole[low]) * share[:, None, None]
    low, high, share = _between(whole.shape[1], width, columns)
    return part[:, low] + (part[:, high] - part[:, low]) * share[:, None]


def _between(size: int, target: int, part: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each target pixel of a part its two neighbours in the source, and the second's share."""
    centre = (np.arange(part.start, part.stop) + 0.5) * size / target - 0.5
    centre = np.clip(centre, 0, size - 1)
    low = centre.astype(int)
    return low, np.minimum(low + 1, size - 1), (centre - low).astype(np.float32)


def tone_gain(tile: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """What each channel of a tile is to be multiplied by, float32 [3], from 1/2 to 2.

    The ratio of their means, in which no cell of a coarse grid counts with a ratio beyond that of
    nine tenths of the cells: single objects that the two see differently count for little.

    Args:
        tile: linear, [H, W, 3].
        wanted: the whole picture's prediction there, linear, [H, W, 3].
    """
    height, width = tile.shape[:2]
    coarser = max(height, width) / min(_CELLS, max(height, width))
    size = (max(1, round(height / coarser)), max(1, round(width / coarser)))
    here, there = (resize_image(image, *size).reshape(-1, 3) + _DARK for image in (tile, wanted))
    ratio = there / here
    ratio = np.clip(ratio, *np.quantile(ratio, _EXTREMES, axis=0))
    gain = (here * ratio).sum(axis=0) / here.sum(axis=0)
    return np.clip(gain, 1 / _LARGEST_GAIN, _LARGEST_GAIN).astype(np.float32)
