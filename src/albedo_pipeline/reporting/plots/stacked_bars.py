"""Bars of counts, the splits on top of each other."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from albedo_pipeline.reporting.plots.themes import Theme


def stacked_histogram(
    axes: Axes, values: dict[str, np.ndarray], edges: np.ndarray, theme: Theme
) -> int:
    """Samples between each two edges; the last bar has both of its edges. Returns their number."""
    counts = {name: np.histogram(part, edges)[0] for name, part in values.items()}
    base = np.zeros(len(edges) - 1, int)
    for number, colour in zip(counts.values(), theme.splits, strict=False):
        axes.stairs(base + number, edges, baseline=base, fill=True, color=colour, lw=0)
        base = base + number
    axes.set_xlim(edges[0] - 0.02 * np.ptp(edges), edges[-1] + 0.02 * np.ptp(edges))
    _count_axis(axes.yaxis)
    return _total(counts)


def stacked_bars(
    axes: Axes, counts: dict[str, np.ndarray], names: Sequence[str], theme: Theme
) -> int:
    """One bar a name, its height written above it. Returns the number of samples."""
    places = np.arange(len(names))
    base = np.zeros(len(names), int)
    for number, colour in zip(counts.values(), theme.splits, strict=False):
        axes.bar(places, number, 0.8, base, color=colour, lw=0)
        base = base + number
    for place, top in zip(places, base, strict=True):
        axes.annotate(
            f"{top:,}",
            (place, top),
            (0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=theme.ink if top else theme.faint,
        )
    axes.set_xticks(places, names)
    _count_axis(axes.yaxis)
    axes.margins(y=0.18)
    return _total(counts)


def stacked_rows(
    axes: Axes, counts: dict[str, np.ndarray], names: Sequence[str], theme: Theme
) -> int:
    """As `stacked_bars`, but lying, which leaves room for long names."""
    places = np.arange(len(names))
    base = np.zeros(len(names), int)
    for number, colour in zip(counts.values(), theme.splits, strict=False):
        axes.barh(places, number, 0.8, base, color=colour, lw=0)
        base = base + number
    for place, end in zip(places, base, strict=True):
        axes.annotate(
            f"{end:,}",
            (end, place),
            (3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=theme.ink,
        )
    axes.set_yticks(places, names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    _count_axis(axes.xaxis)
    axes.margins(x=0.2)
    return _total(counts)


def _count_axis(axis: Axis) -> None:
    axis.set_major_locator(MaxNLocator(4, integer=True))
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def _total(counts: dict[str, np.ndarray]) -> int:
    return int(sum(part.sum() for part in counts.values()))
