"""Tiles of a large image: their places, their weights, and their tone.

A prediction of the complete image at a low resolution has the right tone but no details. Tiles have
the details, but each has a slightly different tone. So every tile is scaled to the tone of the
complete image, and neighbours are blended where they overlap. Rows of tiles are blended one after
another, so only one row of tiles is in memory as floats.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from albedo_pipeline.imaging.resize import resize_image

_CELLS = 32
"""Grid cells on a tile's longer side, whose means are compared with the complete image."""
_DARK = 0.001
"""Added to linear values before they are compared, because black has no tone."""
_EXTREMES = (0.1, 0.9)
"""Quantiles that the ratios of the grid cells are clipped to."""
_LARGEST_GAIN = 2.0


@dataclass(frozen=True)
class Axis:
    """Tiles along one axis of an image, in order."""

    parts: list[slice]
    """Pixels of each tile."""
    weights: list[np.ndarray]
    """float32 weights of each tile's pixels; those of all tiles at a pixel add up to 1."""


def axis_tiles(length: int, tile: int, overlap: float, cell: int) -> Axis:
    """Evenly spread tiles of at most `tile` pixels, each starting at a multiple of `cell`.

    Args:
        tile: side of a tile, a multiple of `cell`.
        overlap: least overlap of neighbours, as a share of `tile` (apart from rounding to cells).
        cell: width of a latent cell, pixels.
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
    """Weights that rise and fall smoothly over `width` pixels, except at the image borders."""
    size = part.stop - part.start
    place = np.arange(size, dtype=np.float32) + 0.5
    ends = (place if part.start else np.inf, size - place if part.stop < length else np.inf)
    share = np.clip(np.minimum(*ends) / max(1, width), 0, 1) * np.ones(size, np.float32)
    return (share * share * (3 - 2 * share)).astype(np.float32)


def blend(down: Axis, across: Axis, channels: int, tiles: Iterator[np.ndarray]) -> np.ndarray:
    """Blend tiles to the complete image, float16 [H, W, channels].

    Args:
        tiles: float32 [h, w, channels], row by row; each is taken when it is needed.
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
        sums[:-done] = sums[done:].copy()  # rows that the next row of tiles overlaps
        sums[-done:] = 0
    return result


def enlarged(whole: np.ndarray, height: int, width: int, rows: slice, columns: slice) -> np.ndarray:
    """A part of `whole`, [h, w, C], after bilinear enlargement to height and width."""
    low, high, share = _neighbours(whole.shape[0], height, rows)
    part = whole[low] + (whole[high] - whole[low]) * share[:, None, None]
    low, high, share = _neighbours(whole.shape[1], width, columns)
    return part[:, low] + (part[:, high] - part[:, low]) * share[:, None]


def _neighbours(size: int, target: int, part: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each target pixel: its two neighbours in the source, and the weight of the second."""
    centre = (np.arange(part.start, part.stop) + 0.5) * size / target - 0.5
    centre = np.clip(centre, 0, size - 1)
    low = centre.astype(int)
    return low, np.minimum(low + 1, size - 1), (centre - low).astype(np.float32)


def tone_gain(tile: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Factor for each channel of a tile, float32 [3], from 1/2 to 2.

    It is the ratio of the means of the complete image and the tile. The ratios of the cells of a
    coarse grid are clipped to their 10 % and 90 % quantiles, so that single objects that the two
    predict differently count little.

    Args:
        tile: linear, [H, W, 3].
        wanted: the prediction of the complete image at this place, linear, [H, W, 3].
    """
    height, width = tile.shape[:2]
    coarser = max(height, width) / min(_CELLS, max(height, width))
    size = (max(1, round(height / coarser)), max(1, round(width / coarser)))
    here, there = (resize_image(image, *size).reshape(-1, 3) + _DARK for image in (tile, wanted))
    ratio = there / here
    ratio = np.clip(ratio, *np.quantile(ratio, _EXTREMES, axis=0))
    gain = (here * ratio).sum(axis=0) / here.sum(axis=0)
    return np.clip(gain, 1 / _LARGEST_GAIN, _LARGEST_GAIN).astype(np.float32)
