"""Distributions of the data: one small plot per property, each sample counted once in each."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from albedo_pipeline.preprocessing.audit import CLIPPED_BEAUTY, IMPLAUSIBLE
from albedo_pipeline.readers.raw_pairs import SPLITS
from albedo_pipeline.reporting.plots.image_sizes import size_panel
from albedo_pipeline.reporting.plots.stacked_bars import stacked_bars, stacked_histogram
from albedo_pipeline.reporting.plots.themes import LIGHT, Theme, show_message, style_axes

OTHER_SPLITS = "other"
PANEL_SIZE = 3.0, 2.45
"""Width and height of one plot, inches."""
_BIN_EDGES = np.array([0, 1e-3, 1e-2, 1e-1, np.inf])
"""Upper edges of the bars for shares that are mostly 0."""
_BIN_NAMES = ("0", "≤ 0.1", "≤ 1", "≤ 10", "> 10")

SamplesBySplit = dict[str, pd.DataFrame]
"""The audit's rows of each split."""
Panel = Callable[[Axes, SamplesBySplit, Theme], int]
"""Draws a plot and returns the number of samples in it."""


def data_figure(used: pd.DataFrame, theme: Theme = LIGHT, columns: int = 3) -> Figure:
    """Source sizes, exposure, valid share, albedo and clipping, stacked by split.

    Args:
        used: rows of the audit that are not quarantined.
        columns: number of plots per row.
    """
    rows = -(-len(_PANELS) // columns)
    size = (9, PANEL_SIZE[1] * rows + 0.4) if columns > 1 else (4.2, PANEL_SIZE[1] * rows + 0.6)
    figure = Figure(figsize=size, layout="constrained", facecolor=theme.paper)
    by_split = _by_split(used)
    for (title, draw), axes in zip(
        _PANELS.items(), figure.subplots(rows, columns, squeeze=False).flat, strict=True
    ):
        drawn = draw(axes, by_split, theme)
        if not drawn:
            axes.clear()
            axes.set_xticks([])
            show_message(axes, theme, "not recorded")
        style_axes(axes, theme)
        axes.grid(visible=False, axis="x")
        axes.set_title(title, loc="left", fontsize=10, color=theme.ink)
        axes.set_title(f"n = {drawn:,}", loc="right", fontsize=8, color=theme.faint)
    _draw_legend(figure, by_split, theme)
    return figure


def _by_split(used: pd.DataFrame) -> SamplesBySplit:
    """The samples in the order of the splits; samples of unknown splits come last, together."""
    names = used["split"].where(used["split"].isin(SPLITS), OTHER_SPLITS)
    by_split = {name: used[names == name] for name in (*SPLITS, OTHER_SPLITS)}
    return {name: rows for name, rows in by_split.items() if name != OTHER_SPLITS or len(rows)}


def _draw_legend(figure: Figure, by_split: SamplesBySplit, theme: Theme) -> None:
    handles = [
        Patch(color=colour, label=f"{name} ({len(rows):,})")
        for (name, rows), colour in zip(by_split.items(), theme.splits, strict=False)
    ]
    figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=len(handles),
        frameon=False,
        labelcolor=theme.ink,
        fontsize=9,
        handlelength=1,
        columnspacing=1.2,
    )


def _exposure_panel(axes: Axes, by_split: SamplesBySplit, theme: Theme) -> int:
    exposures = {name: _finite(rows, "exposure") for name, rows in by_split.items()}
    stops = {name: np.log2(values[values > 0]) for name, values in exposures.items()}
    axes.set_xlabel("stops (log2 of the factor)", fontsize=9)
    edges = _stop_edges(np.concatenate(list(stops.values())))
    return stacked_histogram(axes, stops, edges, theme)


def _valid_panel(axes: Axes, by_split: SamplesBySplit, theme: Theme) -> int:
    percent = {name: 100 * _finite(rows, "valid_share") for name, rows in by_split.items()}
    axes.set_xlabel("% of the pixels", fontsize=9)
    return stacked_histogram(axes, percent, np.linspace(0, 100, 21), theme)


def _albedo_panel(axes: Axes, by_split: SamplesBySplit, theme: Theme) -> int:
    means = {name: np.clip(_finite(rows, "albedo_mean"), 0, 1) for name, rows in by_split.items()}
    axes.set_xlabel("linear, no unit; the last bar includes all above 1", fontsize=9)
    return stacked_histogram(axes, means, np.linspace(0, 1, 26), theme)


def _share_panel(column: str, limit: float) -> Panel:
    """A panel for a share that is mostly 0: one bar per power of ten.

    Args:
        column: the audit's column that holds the share.
        limit: share from which the audit flags a sample; the bars above it are shaded.
    """

    def draw(axes: Axes, by_split: SamplesBySplit, theme: Theme) -> int:
        counts = {
            name: np.bincount(np.searchsorted(_BIN_EDGES, _finite(rows, column)), minlength=5)[:5]
            for name, rows in by_split.items()
        }
        first_flagged = int(np.searchsorted(_BIN_EDGES, limit)) + 0.5
        axes.axvspan(first_flagged, 4.5, color=theme.grid, alpha=0.5, lw=0, zorder=0)
        axes.set_xlim(-0.5, 4.5)
        axes.set_xlabel("% of the valid pixels; shaded: flagged", fontsize=9)
        return stacked_bars(axes, counts, _BIN_NAMES, theme)

    return draw


def _finite(rows: pd.DataFrame, column: str) -> np.ndarray:
    values = rows[column].to_numpy(float, na_value=np.nan)
    return values[np.isfinite(values)]


def _stop_edges(stops: np.ndarray) -> np.ndarray:
    """Edges of at most 25 bars; a bar is 1/8 stop wide, or 1/4, 1/2, … if that is too narrow."""
    if not stops.size:
        return np.array([-0.5, 0.5])
    low, high = float(stops.min()), float(stops.max())
    width = 0.125
    while (high - low) / width > 24:
        width *= 2
    first = np.floor(low / width)
    return width * np.arange(first, np.floor(high / width) + 2)


_PANELS: dict[str, Panel] = {
    "Source size": size_panel,
    "Exposure": _exposure_panel,
    "Valid pixels": _valid_panel,
    "Mean albedo": _albedo_panel,
    "Implausible albedo": _share_panel("albedo_implausible_share", IMPLAUSIBLE),
    "Clipped beauty": _share_panel("beauty_clipped_share", CLIPPED_BEAUTY),
}
"""The panels by title, in the order in which they are drawn."""
