"""Which sizes the source pictures have."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from albedo_pipeline.reporting.plots.stacked_bars import stacked_rows
from albedo_pipeline.reporting.plots.themes import Theme

BARS, POINTS = 6, 300
"""Sizes that have a bar each; points of a scatter at most."""


def size_panel(axes: Axes, parts: dict[str, pd.DataFrame], theme: Theme) -> int:
    """A bar a size where they are few, else width by height. Returns the number of samples."""
    sizes = {name: _known(rows) for name, rows in parts.items()}
    every = np.concatenate(list(sizes.values()))
    kinds = np.unique(every, axis=0)
    if not len(every):
        return 0
    if len(kinds) > BARS:
        return _scatter(axes, every, theme)
    counts = {
        name: np.array([(part == kind).all(axis=1).sum() for kind in kinds])
        for name, part in sizes.items()
    }
    names = [f"{width} × {height}" for width, height in kinds]
    return stacked_rows(axes, counts, names, theme)


def merged(sizes: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Sizes in pixels, [N, 2] => at most `limit` distinct ones, and how many samples each has.

    Where there are more, sizes are rounded to steps of 2 ** (1/16), 2 ** (1/8), … until they fit.
    """
    kinds, counts = np.unique(sizes, axis=0, return_counts=True)
    step = 1 / 16
    while len(kinds) > limit:
        rounded = 2 ** (np.rint(np.log2(sizes) / step) * step)
        kinds, counts = np.unique(rounded, axis=0, return_counts=True)
        step *= 2
    return kinds, counts


def _known(rows: pd.DataFrame) -> np.ndarray:
    """[N, 2], width and height."""
    columns = ["source_width", "source_height"]
    sizes = rows[columns].to_numpy(float, na_value=np.nan)
    return sizes[(sizes > 0).all(axis=1)].astype(int)


def _scatter(axes: Axes, sizes: np.ndarray, theme: Theme) -> int:
    kinds, counts = merged(sizes, POINTS)
    areas = 8 + 160 * counts / counts.max()
    widths, heights = kinds.T
    axes.scatter(widths, heights, s=areas, color=theme.accent, alpha=0.55, lw=0)
    axes.set(xscale="log", yscale="log")
    axes.set_xlabel(f"width, px; largest dot: {counts.max():,}", fontsize=9)
    axes.set_ylabel("height, px", fontsize=9)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(2, numticks=6))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_locator(NullLocator())
    return len(sizes)
