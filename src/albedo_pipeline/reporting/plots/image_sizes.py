"""Panel of the sizes of the source images."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from albedo_pipeline.reporting.plots.stacked_bars import stacked_rows
from albedo_pipeline.reporting.plots.themes import Theme

MAX_BARS, MAX_DOTS = 6, 300
"""Number of sizes up to which each gets a bar, and the largest number of dots in a scatter plot."""


def size_panel(axes: Axes, by_split: dict[str, pd.DataFrame], theme: Theme) -> int:
    """Draw one bar per size, or width over height if there are more than `MAX_BARS` sizes.

    Returns:
        The number of samples whose size is known.
    """
    sizes = {name: _known_sizes(rows) for name, rows in by_split.items()}
    all_sizes = np.concatenate(list(sizes.values()))
    unique_sizes = np.unique(all_sizes, axis=0)
    if not len(all_sizes):
        return 0
    if len(unique_sizes) > MAX_BARS:
        return _draw_scatter(axes, all_sizes, theme)
    counts = {
        name: np.array([(split_sizes == size).all(axis=1).sum() for size in unique_sizes])
        for name, split_sizes in sizes.items()
    }
    names = [f"{width} × {height}" for width, height in unique_sizes]
    return stacked_rows(axes, counts, names, theme)


def merge_sizes(sizes: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Distinct sizes and how many samples have each; similar sizes merged if there are too many.

    If there are more than `limit` sizes, they are rounded to powers of 2 ** (1/16), then of
    2 ** (1/8), 2 ** (1/4), … until at most `limit` are left.

    Args:
        sizes: width and height in pixels, [N, 2].
    """
    merged, counts = np.unique(sizes, axis=0, return_counts=True)
    step = 1 / 16
    while len(merged) > limit:
        rounded = 2 ** (np.rint(np.log2(sizes) / step) * step)
        merged, counts = np.unique(rounded, axis=0, return_counts=True)
        step *= 2
    return merged, counts


def _known_sizes(rows: pd.DataFrame) -> np.ndarray:
    """Width and height of the samples whose size was recorded, [N, 2]."""
    columns = ["source_width", "source_height"]
    sizes = rows[columns].to_numpy(float, na_value=np.nan)
    return sizes[(sizes > 0).all(axis=1)].astype(int)


def _draw_scatter(axes: Axes, sizes: np.ndarray, theme: Theme) -> int:
    merged, counts = merge_sizes(sizes, MAX_DOTS)
    areas = 8 + 160 * counts / counts.max()
    widths, heights = merged.T
    axes.scatter(widths, heights, s=areas, color=theme.accent, alpha=0.55, lw=0)
    axes.set(xscale="log", yscale="log")
    axes.set_xlabel(f"width, px; largest dot: {counts.max():,}", fontsize=9)
    axes.set_ylabel("height, px", fontsize=9)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(2, numticks=6))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_locator(NullLocator())
    return len(sizes)
