"""A contact sheet of stored samples: beauty, albedo and valid mask side by side."""

from collections.abc import Sequence
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure

from albedo_pipeline.imaging.colormap import hatched
from albedo_pipeline.reporting.images import image_thumbnail, mask_thumbnail
from albedo_pipeline.reporting.plots.themes import LIGHT, show_message
from albedo_pipeline.shards.pair_shards import PairShards

SIDE, WIDTH = 160, 10.0
"""Longer side of a picture in pixels, and width of the sheet in inches."""
LINE_LENGTH = 140
"""Characters of a title's font that fit across the sheet."""
_GAP = 225
"""Grey of the gaps between the pictures: neither black nor white, as the masks are."""


def pair_sheet(
    pairs: PairShards, rows: Sequence[int], titles: Sequence[str], columns: int = 3
) -> Figure:
    """The pairs of these rows in reading order, each below its title.

    Invalid pixels are hatched in the albedo; in the mask, white is valid.

    Args:
        rows: row numbers in `pairs`.
        titles: one title per row; newlines separate its lines.
        columns: number of pairs side by side.
    """
    strips = [_strip(pairs, int(row)) for row in rows]
    if not strips:
        return _empty_sheet()
    titles = [_wrapped(title, LINE_LENGTH // columns) for title in titles]
    lines = max(title.count("\n") + 1 for title in titles)
    aspect = max(len(strip) / strip.shape[1] for strip in strips)
    down = -(-len(strips) // columns)
    size = WIDTH, down * (aspect * WIDTH / columns + 0.16 * lines + 0.1) + 0.25
    figure = Figure(figsize=size, layout="constrained", facecolor=LIGHT.paper)
    figure.suptitle("Beauty, albedo, valid mask", fontsize=9, color=LIGHT.faint)
    grid = figure.subplots(down, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, strip, title in zip(grid.flat, strips, titles, strict=False):
        axes.imshow(strip, interpolation="nearest")
        axes.set_title(title, loc="left", fontsize=8, color=LIGHT.ink, pad=3)
    return figure


def _empty_sheet() -> Figure:
    figure = Figure(figsize=(WIDTH, 0.5), facecolor=LIGHT.paper)
    axes = figure.subplots()
    axes.set_axis_off()
    show_message(axes, LIGHT, "no samples")
    return figure


def _wrapped(title: str, length: int) -> str:
    return "\n".join(fill(line, length) for line in title.split("\n"))


def _strip(pairs: PairShards, row: int) -> np.ndarray:
    """Beauty, albedo and mask of a row side by side, uint8 [H, W, 3]."""
    beauty, albedo = (
        image_thumbnail(pairs.tensor(name, row), SIDE) for name in ("beauty", "albedo")
    )
    valid = mask_thumbnail(pairs.tensor("valid", row), SIDE)
    mask = np.where(valid[..., None], np.uint8(255), np.zeros(3, np.uint8))
    gap = np.full((len(valid), max(1, valid.shape[1] // 32), 3), _GAP, np.uint8)
    strip = np.concatenate([gap, beauty, gap, hatched(albedo, valid), gap, mask, gap], axis=1)
    edge = np.full((gap.shape[1], strip.shape[1], 3), _GAP, np.uint8)
    return np.concatenate([edge, strip, edge], axis=0)
