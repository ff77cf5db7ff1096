"""Scatter plots that compare two runs sample by sample."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from albedo_pipeline.reporting.formatting import higher_is_better, label, main_measures, unit
from albedo_pipeline.reporting.plots.themes import LIGHT, Theme, plot_dots, style_axes

_COLUMNS, _PANEL_SIDE = 3, 3.2
"""Panels per row, and the side of a panel in inches."""


def comparison_figure(samples: pd.DataFrame, theme: Theme = LIGHT) -> Figure:
    """One panel per main metric, one dot per sample: this run over the other run.

    Args:
        samples: `Comparison.samples`.
    """
    names = [c.removesuffix("_other") for c in map(str, samples) if c.endswith("_other")]
    scores = {name: _finite_scores(samples, name) for name in main_measures(names)}
    scores = {name: values for name, values in scores.items() if len(values)}
    rows, columns = max(1, -(-len(scores) // _COLUMNS)), min(_COLUMNS, max(1, len(scores)))
    size = columns * _PANEL_SIDE, rows * (_PANEL_SIDE + 0.25)
    figure = Figure(figsize=size, layout="constrained", facecolor=theme.paper)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(scores) :]:
        axes.set_visible(False)
    for (name, values), axes in zip(scores.items(), grid.flat, strict=False):
        _draw_panel(axes, theme, name, values)
    return figure


def _finite_scores(samples: pd.DataFrame, name: str) -> np.ndarray:
    """Scores of the other run and of this run, [n, 2]; only samples finite in both."""
    if name == "constancy":  # one value per light set, stored with each of its samples
        samples = samples.drop_duplicates("set_this")
    scores = samples[[f"{name}_other", f"{name}_this"]].to_numpy(float)
    return scores[np.isfinite(scores).all(axis=1)]


def _draw_panel(axes: Axes, theme: Theme, name: str, scores: np.ndarray) -> None:
    axes.axline((scores[0, 0], scores[0, 0]), slope=1, color=theme.faint, lw=0.9)
    plot_dots(axes, *scores.T, color=theme.accent, ms=5, alpha=0.6)
    low, high = scores.min(), scores.max()
    margin = 0.06 * (high - low) or 0.5
    axes.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin), box_aspect=1)
    axes.set_title(label(name), loc="left", fontsize=10, color=theme.ink)
    axes.set_title(f"n = {len(scores):,}", loc="right", fontsize=8, color=theme.faint)
    in_unit = unit(name) or "no unit"
    axes.set_xlabel(f"other run, {in_unit}")
    side = {True: "  (above: better)", False: "  (below: better)", None: ""}[higher_is_better(name)]
    axes.set_ylabel(f"this run, {in_unit}{side}")
    style_axes(axes, theme)
