"""Plots of the scores: means, distributions, and risk over coverage."""

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
from albedo_pipeline.reporting.plots.themes import LIGHT, Theme, plot_dots, show_message, style_axes
from albedo_pipeline.reporting.sections.scores import (
    METHOD_KINDS,
    method_kind,
    methods_of,
    metrics_of,
)

WIDE, NARROW = 3, 1
"""Panels per row on a screen and on a phone."""


def metrics_figure(metrics: dict, split: str, theme: Theme = LIGHT, columns: int = WIDE) -> Figure:
    """One panel per main metric: each method's mean as a point, its interval as a line."""
    scores = metrics[split]
    methods = methods_of(scores)
    figure, panels = _panels(main_measures(metrics_of(scores)), methods, theme, columns)
    if figure is None:
        return _message_figure(theme, f"No method was measured on the {split} split.")
    for name, axes in panels:
        for y, key in enumerate(methods):
            _draw_interval(axes, theme, name, scores[key].get(name, {}), y, method_kind(key))
        axes.margins(x=0.16)
    return figure


def distributions_figure(
    per_sample: pd.DataFrame, split: str, theme: Theme = LIGHT, columns: int = WIDE
) -> Figure:
    """One panel per main metric: each sample as a dot, each method's quartiles as a box.

    Whiskers reach from the 5th to the 95th percentile.
    """
    rows = per_sample[per_sample["split"] == split]
    if "set" in rows and "constancy" in rows:
        repeated = rows.duplicated(["set", "method"]) & (rows["set"] != "")
        rows = rows.assign(constancy=rows["constancy"].mask(repeated))
    by_method = {str(key): method_rows for key, method_rows in rows.groupby("method", sort=False)}
    methods = sorted(by_method, key=lambda key: METHOD_KINDS.index(method_kind(key)))
    names = [name for name in main_measures(rows.columns) if _finite_values(rows, name).size]
    figure, panels = _panels(names, methods, theme, columns)
    if figure is None:
        return _message_figure(theme, f"No sample was measured on the {split} split.")
    for name, axes in panels:
        for y, key in enumerate(methods):
            _draw_box(axes, theme, _finite_values(by_method[key], name), y, method_kind(key))
        count = max(_finite_values(method_rows, name).size for method_rows in by_method.values())
        axes.set_title(f"n = {count:,}", loc="right", fontsize=8, color=theme.faint)
    return figure


def risk_figure(curves: pd.DataFrame, split: str, theme: Theme = LIGHT) -> Figure:
    """Risk over coverage: mean error of the most certain pixels over their share."""
    rows = curves[curves["split"] == split]
    figure = Figure(figsize=(6.4, 3.4), layout="constrained", facecolor=theme.paper)
    axes = figure.subplots()
    if rows.empty:
        show_message(axes, theme, "No ensemble was run, so there is no uncertainty.")
        style_axes(axes, theme)
        return figure
    percent = 100 * rows["coverage"]
    axes.plot(percent, rows["random"], ":", color=theme.faint, label="random order: the mean error")
    axes.plot(
        percent, rows["risk"], color=theme.accent, lw=2, label="sorted by the model’s uncertainty"
    )
    axes.plot(
        percent,
        rows["oracle"],
        "--",
        color=theme.ink,
        lw=1,
        label="oracle: sorted by the true error",
    )
    axes.set_xlabel("coverage: share of pixels kept, the most certain first, %")
    axes.set_ylabel("risk: mean absolute error, sRGB in [0, 1]")
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, 100)
    axes.legend(frameon=False, labelcolor=theme.ink, fontsize=9, loc="lower right")
    style_axes(axes, theme)
    return figure


def _panels(
    names: list[str], methods: list[str], theme: Theme, columns: int
) -> tuple[Figure | None, Iterator[tuple[str, Axes]]]:
    """A figure with one empty panel per metric, and (metric, axes) of each panel.

    The figure is None if there is no metric or no method.
    """
    if not names or not methods:
        return None, iter(())
    width = 10.5 if columns > 1 else 4.6
    rows, columns = -(-len(names) // columns), min(columns, len(names))
    height = rows * (0.9 + 0.32 * len(methods)) + 0.2
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=theme.paper)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    for name, axes in zip(names, grid.flat, strict=False):
        arrow = {True: " →", False: " ←", None: ""}[higher_is_better(name)]
        axes.set_xlabel(f"{label(name)}, {unit(name) or 'no unit'}{arrow and f'  (better{arrow})'}")
        axes.set_yticks(range(len(methods)), [method(key).name for key in methods])
        axes.set_ylim(len(methods) - 0.4, -0.6)  # the first method is at the top
        style_axes(axes, theme)
        axes.grid(visible=False, axis="y")
    return figure, zip(names, grid.flat, strict=False)


def _message_figure(theme: Theme, message: str) -> Figure:
    figure = Figure(figsize=(9, 2), layout="constrained", facecolor=theme.paper)
    axes = figure.subplots()
    show_message(axes, theme, message)
    style_axes(axes, theme)
    return figure


def _finite_values(rows: pd.DataFrame, name: str) -> np.ndarray:
    if name not in rows or not pd.api.types.is_numeric_dtype(rows[name]):
        return np.array([])
    values = rows[name].to_numpy(np.float64)
    return values[np.isfinite(values)]


def _draw_box(axes: Axes, theme: Theme, values: np.ndarray, y: int, kind: str) -> None:
    if not values.size:
        return
    colour = theme.accent if kind == "model" else theme.ink
    # Jitter without a random generator, so that the picture is always the same: multiples of the
    # golden ratio, modulo 1, are spread evenly.
    jittered = y + 0.3 * (np.arange(values.size) * 0.618 % 1 - 0.5)
    plot_dots(axes, values, jittered, color=colour, ms=4, alpha=0.45)
    low, first, median, third, high = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95))
    axes.plot([low, high], [y, y], color=colour, lw=1)
    axes.plot([first, third], [y, y], color=colour, lw=5, alpha=0.55, solid_capstyle="butt")
    axes.plot([median], [y], "|", color=colour, ms=11, mew=2)


def _draw_interval(axes: Axes, theme: Theme, name: str, score: dict, y: int, kind: str) -> None:
    if not finite(score.get("mean")):
        axes.annotate(
            "no value",
            (0.5, y),
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
        axes.plot([score["low"], score["high"]], [y, y], color=colour, lw=2, alpha=0.6)
    face = "none" if kind == "ceiling" else colour
    axes.plot(score["mean"], y, "o", color=colour, markerfacecolor=face, ms=6)
    if kind in ("model", "ceiling"):
        line = "-" if kind == "model" else "--"
        axes.axvline(score["mean"], color=colour, lw=0.8, ls=line, alpha=0.35, zorder=0)
    axes.annotate(
        measured(name, score["mean"]),
        (score["mean"], y),
        (0, 6),
        textcoords="offset points",
        color=colour,
        fontsize=8,
        ha="center",
    )
