"""A contact sheet of stored samples: beauty, albedo and valid mask side by side."""

from collections.abc import Sequence
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure

from albedo_pipeline.reporting.images import hatched, shrunk, shrunk_mask
from albedo_pipeline.reporting.plots.themes import LIGHT, say
from albedo_pipeline.shards.pair_shards import PairShards

SIDE, WIDTH = 160, 10.0
"""Longer side of a picture, pixels; width of the sheet, inches."""
LETTERS = 140
"""Of a title's size that stand side by side in the sheet."""
_GAP = 225
"""Grey between the pictures and around the masks, apart from a mask's black and white."""


def pair_sheet(
    pairs: PairShards, rows: Sequence[int], titles: Sequence[str], columns: int = 3
) -> Figure:
    """The pairs of these rows in reading order, each below its title.

    Masked pixels are hatched in the albedo; in the mask, white is valid.

    Args:
        titles: one a row; of several lines, separated by newlines.
        columns: pairs side by side.
    """
    strips = [_strip(pairs, int(row)) for row in rows]
    if not strips:
        return _empty()
    titles = [_wrapped(title, LETTERS // columns) for title in titles]
    lines = max(title.count("\n") + 1 for title in titles)
    shape = max(len(strip) / strip.shape[1] for strip in strips)
    down = -(-len(strips) // columns)
    size = WIDTH, down * (shape * WIDTH / columns + 0.16 * lines + 0.1) + 0.25
    figure = Figure(figsize=size, layout="constrained", facecolor=LIGHT.paper)
    figure.suptitle("Beauty, albedo, valid mask", fontsize=9, color=LIGHT.faint)
    grid = figure.subplots(down, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, strip, title in zip(grid.flat, strips, titles, strict=False):
        axes.imshow(strip, interpolation="nearest")
        axes.set_title(title, loc="left", fontsize=8, color=LIGHT.ink, pad=3)
    return figure


def _empty() -> Figure:
    figure = Figure(figsize=(WIDTH, 0.5), facecolor=LIGHT.paper)
    axes = figure.subplots()
    axes.set_axis_off()
    say(axes, LIGHT, "no sample")
    return figure


def _wrapped(title: str, letters: int) -> str:
    return "\n".join(fill(line, letters) for line in title.split("\n"))


def _strip(pairs: PairShards, row: int) -> np.ndarray:
    """Beauty, albedo and mask of a row, uint8 [H, W, 3]."""
    beauty, albedo = (shrunk(pairs.tensor(name, row), SIDE) for name in ("beauty", "albedo"))
    valid = shrunk_mask(pairs.tensor("valid", row), SIDE)
    mask = np.where(valid[..., None], np.uint8(255), np.zeros(3, np.uint8))
    across = np.full((len(valid), max(1, valid.shape[1] // 32), 3), _GAP, np.uint8)
    strip = np.concatenate(
        [across, beauty, across, hatched(albedo, valid), across, mask, across], axis=1
    )
    edge = np.full((across.shape[1], strip.shape[1], 3), _GAP, np.uint8)
    return np.concatenate([edge, strip, edge], axis=0)
