"""How the data is distributed: small multiples, each sample counted once a panel."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from albedo_pipeline.preprocessing.audit import CLIPPED_BEAUTY, IMPLAUSIBLE
from albedo_pipeline.preprocessing.manifest import SPLITS
from albedo_pipeline.reporting.plots.image_sizes import size_panel
from albedo_pipeline.reporting.plots.stacked_bars import stacked_bars, stacked_histogram
from albedo_pipeline.reporting.plots.themes import LIGHT, Theme, dress, say

OTHERS = "other"
PANEL = 3.0, 2.45
"""Width and height of one plot, inches."""
_DECADES = np.array([0, 1e-3, 1e-2, 1e-1, np.inf])
_DECADE_NAMES = ("0", "≤ 0.1", "≤ 1", "≤ 10", "> 10")

TrainingComponents = dict[str, pd.DataFrame]
"""Samples of each split."""


def data_figure(used: pd.DataFrame, theme: Theme = LIGHT, columns: int = 3) -> Figure:
    """Source sizes, exposure, valid share, albedo and clipping, by split.

    Args:
        used: the audit's rows that are not in the quarantine.
        columns: plots side by side.
    """
    rows = -(-len(_PANELS) // columns)
    size = (9, PANEL[1] * rows + 0.4) if columns > 1 else (4.2, PANEL[1] * rows + 0.6)
    figure = Figure(figsize=size, layout="constrained", facecolor=theme.paper)
    parts = _parts(used)
    for (title, draw), axes in zip(
        _PANELS.items(), figure.subplots(rows, columns, squeeze=False).flat, strict=True
    ):
        drawn = draw(axes, parts, theme)
        if not drawn:
            axes.clear()
            axes.set_xticks([])
            say(axes, theme, "not recorded")
        dress(axes, theme)
        axes.grid(visible=False, axis="x")
        axes.set_title(title, loc="left", fontsize=10, color=theme.ink)
        axes.set_title(f"n = {drawn:,}", loc="right", fontsize=8, color=theme.faint)
    _legend(figure, parts, theme)
    return figure


def _parts(used: pd.DataFrame) -> TrainingComponents:
    """The samples by split, in the order of the splits; unknown splits together."""
    names = used["split"].where(used["split"].isin(SPLITS), OTHERS)
    parts = {name: used[names == name] for name in (*SPLITS, OTHERS)}
    return {name: rows for name, rows in parts.items() if name != OTHERS or len(rows)}


def _legend(figure: Figure, parts: TrainingComponents, theme: Theme) -> None:
    handles = [
        Patch(color=colour, label=f"{name} ({len(rows):,})")
        for (name, rows), colour in zip(parts.items(), theme.splits, strict=False)
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


def _exposure(axes: Axes, parts: TrainingComponents, theme: Theme) -> int:
    stops = {name: np.log2(_positive(rows, "exposure")) for name, rows in parts.items()}
    axes.set_xlabel("stops (log2 of the factor)", fontsize=9)
    return stacked_histogram(axes, stops, _stop_edges(_together(stops)), theme)


def _valid(axes: Axes, parts: TrainingComponents, theme: Theme) -> int:
    percent = {name: 100 * _finite(rows, "valid_share") for name, rows in parts.items()}
    axes.set_xlabel("% of the pixels", fontsize=9)
    return stacked_histogram(axes, percent, np.linspace(0, 100, 21), theme)


def _albedo(axes: Axes, parts: TrainingComponents, theme: Theme) -> int:
    means = {name: np.clip(_finite(rows, "albedo_mean"), 0, 1) for name, rows in parts.items()}
    axes.set_xlabel("linear; 1 and more in the last bar", fontsize=9)
    return stacked_histogram(axes, means, np.linspace(0, 1, 26), theme)


def _share(column: str, limit: float) -> Callable[[Axes, TrainingComponents, Theme], int]:
    """A panel of a share that is mostly 0: one bar a power of ten, flagged ones shaded."""

    def draw(axes: Axes, parts: TrainingComponents, theme: Theme) -> int:
        counts = {
            name: np.bincount(np.searchsorted(_DECADES, _finite(rows, column)), minlength=5)[:5]
            for name, rows in parts.items()
        }
        first = int(np.searchsorted(_DECADES, limit)) + 0.5
        axes.axvspan(first, 4.5, color=theme.grid, alpha=0.5, lw=0, zorder=0)
        axes.set_xlim(-0.5, 4.5)
        axes.set_xlabel("% of the valid pixels; shaded: flagged", fontsize=9)
        return stacked_bars(axes, counts, _DECADE_NAMES, theme)

    return draw


def _finite(rows: pd.DataFrame, column: str) -> np.ndarray:
    values = rows[column].to_numpy(float, na_value=np.nan)
    return values[np.isfinite(values)]


def _positive(rows: pd.DataFrame, column: str) -> np.ndarray:
    values = _finite(rows, column)
    return values[values > 0]


def _together(values: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate(list(values.values()))


def _stop_edges(stops: np.ndarray) -> np.ndarray:
    """At most 25 bars, each an eighth of a stop wide or twice, four times … that."""
    if not stops.size:
        return np.array([-0.5, 0.5])
    low, high = float(stops.min()), float(stops.max())
    width = 0.125
    while (high - low) / width > 24:
        width *= 2
    first = np.floor(low / width)
    return width * np.arange(first, np.floor(high / width) + 2)


_PANELS: dict[str, Callable[[Axes, TrainingComponents, Theme], int]] = {
    "Source size": size_panel,
    "Exposure": _exposure,
    "Valid pixels": _valid,
    "Mean albedo": _albedo,
    "Implausible albedo": _share("albedo_implausible_share", IMPLAUSIBLE),
    "Clipped beauty": _share("beauty_clipped_share", CLIPPED_BEAUTY),
}
"""By title; each draws its plot and returns how many samples are in it."""
