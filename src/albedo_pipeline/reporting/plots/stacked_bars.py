"""Bar charts of sample counts in which the splits are stacked."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from albedo_pipeline.reporting.plots.themes import Theme


def stacked_histogram(
    axes: Axes, values: dict[str, np.ndarray], edges: np.ndarray, theme: Theme
) -> int:
    """Draw a histogram of each split's values on top of the one before.

    Each bar includes its left edge; the last bar includes both edges.

    Returns:
        The number of samples.
    """
    counts = {name: np.histogram(part, edges)[0] for name, part in values.items()}
    base = np.zeros(len(edges) - 1, int)
    for heights, colour in zip(counts.values(), theme.splits, strict=False):
        axes.stairs(base + heights, edges, baseline=base, fill=True, color=colour, lw=0)
        base = base + heights
    axes.set_xlim(edges[0] - 0.02 * np.ptp(edges), edges[-1] + 0.02 * np.ptp(edges))
    _format_count_axis(axes.yaxis)
    return _total(counts)


def stacked_bars(
    axes: Axes, counts: dict[str, np.ndarray], names: Sequence[str], theme: Theme
) -> int:
    """Draw one vertical bar per name, with its height written above it.

    Returns:
        The number of samples.
    """
    x = np.arange(len(names))
    base = np.zeros(len(names), int)
    for heights, colour in zip(counts.values(), theme.splits, strict=False):
        axes.bar(x, heights, 0.8, base, color=colour, lw=0)
        base = base + heights
    for position, top in zip(x, base, strict=True):
        axes.annotate(
            f"{top:,}",
            (position, top),
            (0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=theme.ink if top else theme.faint,
        )
    axes.set_xticks(x, names)
    _format_count_axis(axes.yaxis)
    axes.margins(y=0.18)
    return _total(counts)


def stacked_rows(
    axes: Axes, counts: dict[str, np.ndarray], names: Sequence[str], theme: Theme
) -> int:
    """Draw one horizontal bar per name: as `stacked_bars`, with room for long names.

    Returns:
        The number of samples.
    """
    y = np.arange(len(names))
    base = np.zeros(len(names), int)
    for lengths, colour in zip(counts.values(), theme.splits, strict=False):
        axes.barh(y, lengths, 0.8, base, color=colour, lw=0)
        base = base + lengths
    for position, end in zip(y, base, strict=True):
        axes.annotate(
            f"{end:,}",
            (end, position),
            (3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=theme.ink,
        )
    axes.set_yticks(y, names)
    axes.set_ylim(len(names) - 0.4, -0.6)  # the first name is at the top
    _format_count_axis(axes.xaxis)
    axes.margins(x=0.2)
    return _total(counts)


def _format_count_axis(axis: Axis) -> None:
    axis.set_major_locator(MaxNLocator(4, integer=True))
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def _total(counts: dict[str, np.ndarray]) -> int:
    return int(sum(part.sum() for part in counts.values()))
