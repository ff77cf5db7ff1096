"""Two runs, sample by sample."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from albedo_pipeline.reporting.formatting import higher_is_better, label, main_measures, unit
from albedo_pipeline.reporting.plots.themes import LIGHT, Theme, dress, many_dots

_ACROSS, _PANEL = 3, 3.2
"""Panels in a row, and their side in inches."""


def comparison_figure(samples: pd.DataFrame, theme: Theme = LIGHT) -> Figure:
    """One panel a main measure: every sample as a dot, this run up, the other one across.

    Args:
        samples: as `comparison.Comparison` has them.
    """
    known = [c.removesuffix(" there") for c in map(str, samples) if c.endswith(" there")]
    pairs = {name: _pairs(samples, name) for name in main_measures(known)}
    pairs = {name: both for name, both in pairs.items() if len(both)}
    down, across = max(1, -(-len(pairs) // _ACROSS)), min(_ACROSS, max(1, len(pairs)))
    size = across * _PANEL, down * (_PANEL + 0.25)
    figure = Figure(figsize=size, layout="constrained", facecolor=theme.paper)
    grid = figure.subplots(down, across, squeeze=False)
    for axes in grid.flat[len(pairs) :]:
        axes.set_visible(False)
    for (name, both), axes in zip(pairs.items(), grid.flat, strict=False):
        _panel(axes, theme, name, both)
    return figure


def _pairs(samples: pd.DataFrame, name: str) -> np.ndarray:
    """[n, 2]: there, here; finite in both."""
    if name == "constancy":  # of a set, and each of its samples bears it
        samples = samples.drop_duplicates("set here")
    both = samples[[f"{name} there", f"{name} here"]].to_numpy(float)
    return both[np.isfinite(both).all(axis=1)]


def _panel(axes: Axes, theme: Theme, name: str, both: np.ndarray) -> None:
    axes.axline((both[0, 0], both[0, 0]), slope=1, color=theme.faint, lw=0.9)
    many_dots(axes, *both.T, color=theme.accent, ms=5, alpha=0.6)
    low, high = both.min(), both.max()
    margin = 0.06 * (high - low) or 0.5
    axes.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin), box_aspect=1)
    shown_unit = f", {unit(name)}" if unit(name) else ""
    axes.set_title(f"{label(name)}{shown_unit}", loc="left", fontsize=10, color=theme.ink)
    axes.set_title(f"n = {len(both):,}", loc="right", fontsize=8, color=theme.faint)
    axes.set_xlabel("the other run")
    side = {True: "  (above: better)", False: "  (below: better)", None: ""}[higher_is_better(name)]
    axes.set_ylabel(f"this run{side}")
    dress(axes, theme)
