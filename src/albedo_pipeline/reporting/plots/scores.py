"""Plots of the scores: means, distributions, risk and coverage."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from albedo_pipeline.reporting.formatting import (
    finite,
    higher_is_better,
    label,
    main_measures,
    measured,
    method,
    unit,
)
from albedo_pipeline.reporting.plots.themes import LIGHT, Theme, dress, many_dots, say
from albedo_pipeline.reporting.sections.scores import KINDS, kind_of, methods_of, metrics_of

WIDE, NARROW = 3, 1
"""Panels in a row, on a screen and on a phone."""


def metrics_figure(metrics: dict, split: str, theme: Theme = LIGHT, across: int = WIDE) -> Figure:
    """One panel a main measure: every method's mean as a point, its interval as a line."""
    scores = metrics[split]
    methods = methods_of(scores)
    figure, panels = _panels(main_measures(metrics_of(scores)), methods, theme, across)
    if figure is None:
        return _empty(theme, f"No method was measured on the {split} split.")
    for name, axes in panels:
        for place, key in enumerate(methods):
            _interval(axes, theme, name, scores[key].get(name, {}), place, kind_of(key))
        axes.margins(x=0.16)
    return figure


def distributions_figure(
    per_sample: pd.DataFrame, split: str, theme: Theme = LIGHT, across: int = WIDE
) -> Figure:
    """One panel a main measure: every sample as a dot, and each method's quartiles as a box.

    Whiskers reach to the 5th and 95th percentile.
    """
    rows = per_sample[per_sample["split"] == split]
    if "set" in rows and "constancy" in rows:
        repeated = rows.duplicated(["set", "method"]) & (rows["set"] != "")
        rows = rows.assign(constancy=rows["constancy"].mask(repeated))
    by_method = {str(key): part for key, part in rows.groupby("method", sort=False)}
    methods = sorted(by_method, key=lambda key: KINDS.index(kind_of(key)))
    names = [name for name in main_measures(rows.columns) if _numbers(rows, name).size]
    figure, panels = _panels(names, methods, theme, across)
    if figure is None:
        return _empty(theme, f"No sample was measured on the {split} split.")
    for name, axes in panels:
        for place, key in enumerate(methods):
            _box(axes, theme, _numbers(by_method[key], name), place, kind_of(key))
        count = max(_numbers(part, name).size for part in by_method.values())
        axes.set_title(f"n = {count:,}", loc="right", fontsize=8, color=theme.faint)
    return figure


def risk_figure(curves: pd.DataFrame, split: str, theme: Theme = LIGHT) -> Figure:
    """Mean error of the most certain share of the pixels, by that share."""
    rows = curves[curves["split"] == split]
    figure = Figure(figsize=(6.4, 3.4), layout="constrained", facecolor=theme.paper)
    axes = figure.subplots()
    if rows.empty:
        say(axes, theme, "No ensemble, so no uncertainty.")
        dress(axes, theme)
        return figure
    share = 100 * rows["coverage"]
    axes.plot(share, rows["random"], ":", color=theme.faint, label="no order: the mean error")
    axes.plot(share, rows["risk"], color=theme.accent, lw=2, label="by the model’s uncertainty")
    axes.plot(
        share, rows["oracle"], "--", color=theme.ink, lw=1, label="oracle: by the error itself"
    )
    axes.set_xlabel("coverage: most certain pixels that are kept, %")
    axes.set_ylabel("risk: mean absolute error, sRGB")
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, 100)
    axes.legend(frameon=False, labelcolor=theme.ink, fontsize=9, loc="lower right")
    dress(axes, theme)
    return figure


def _panels(
    names: list[str], methods: list[str], theme: Theme, across: int
) -> tuple[Figure | None, Iterator[tuple[str, Axes]]]:
    """A figure with one dressed panel a measure, the methods from top to bottom."""
    if not names or not methods:
        return None, iter(())
    width = 10.5 if across > 1 else 4.6
    down, across = -(-len(names) // across), min(across, len(names))
    height = down * (0.9 + 0.32 * len(methods)) + 0.2
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=theme.paper)
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    for name, axes in zip(names, grid.flat, strict=False):
        arrow = {True: " →", False: " ←", None: ""}[higher_is_better(name)]
        shown_unit = f", {unit(name)}" if unit(name) else ""
        axes.set_xlabel(f"{label(name)}{shown_unit}{arrow and f'  (better{arrow})'}")
        axes.set_yticks(range(len(methods)), [method(key).name for key in methods])
        axes.set_ylim(len(methods) - 0.4, -0.6)
        dress(axes, theme)
        axes.grid(visible=False, axis="y")
    return figure, zip(names, grid.flat, strict=False)


def _empty(theme: Theme, words: str) -> Figure:
    figure = Figure(figsize=(9, 2), layout="constrained", facecolor=theme.paper)
    axes = figure.subplots()
    say(axes, theme, words)
    dress(axes, theme)
    return figure


def _numbers(rows: pd.DataFrame, name: str) -> np.ndarray:
    if name not in rows or not pd.api.types.is_numeric_dtype(rows[name]):
        return np.array([])
    values = rows[name].to_numpy(np.float64)
    return values[np.isfinite(values)]


def _box(axes: Axes, theme: Theme, values: np.ndarray, place: int, kind: str) -> None:
    if not values.size:
        return
    colour = theme.accent if kind == "model" else theme.ink
    # Shaken by their order, so that the picture is always the same.
    shaken = place + 0.3 * (np.arange(values.size) * 0.618 % 1 - 0.5)
    many_dots(axes, values, shaken, color=colour, ms=4, alpha=0.45)
    low, first, middle, third, high = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95))
    axes.plot([low, high], [place, place], color=colour, lw=1)
    axes.plot([first, third], [place, place], color=colour, lw=5, alpha=0.55, solid_capstyle="butt")
    axes.plot([middle], [place], "|", color=colour, ms=11, mew=2)


def _interval(axes: Axes, theme: Theme, name: str, score: dict, place: int, kind: str) -> None:
    if not finite(score.get("mean")):
        axes.annotate(
            "no value",
            (0.5, place),
            (4, 0),
            ("axes fraction", "data"),
            "offset points",
            color=theme.faint,
            fontsize=8,
            va="center",
        )
        return
    colour = theme.accent if kind == "model" else theme.ink
    if finite(score.get("low")) and finite(score.get("high")):
        axes.plot([score["low"], score["high"]], [place, place], color=colour, lw=2, alpha=0.6)
    face = "none" if kind == "ceiling" else colour
    axes.plot(score["mean"], place, "o", color=colour, markerfacecolor=face, ms=6)
    if kind != "baseline":
        line = "-" if kind == "model" else "--"
        axes.axvline(score["mean"], color=colour, lw=0.8, ls=line, alpha=0.35, zorder=0)
    axes.annotate(
        measured(name, score["mean"]),
        (score["mean"], place),
        (0, 6),
        textcoords="offset points",
        color=colour,
        fontsize=8,
        ha="center",
    )
