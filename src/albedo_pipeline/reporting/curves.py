"""The figures: training curves, and the metrics with their intervals."""

import base64
import io
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, StrMethodFormatter

from albedo_pipeline.reporting.scores import kind_of, methods_of, metrics_of
from albedo_pipeline.reporting.words import finite, higher_is_better, label, measured, method, unit


@dataclass(frozen=True)
class Theme:
    """Colours of a figure."""

    ink: str
    faint: str
    grid: str
    accent: str
    paper: str


LIGHT = Theme("#1b1b1b", "#6b6b6b", "#dddddd", "#0b62c4", "#ffffff")
DARK = Theme("#e8e8e8", "#a0a0a0", "#3d3d3d", "#6cb0ff", "none")


def loss_figure(log: pd.DataFrame, theme: Theme = LIGHT) -> Figure:
    """Loss (raw and smoothed, log axis) above the learning rate, by optimiser step.

    What is missing is said in words in its place.
    """
    figure = Figure(figsize=(9, 5), layout="constrained", facecolor=theme.paper)
    loss_axes, rate_axes = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    losses = _curve(log, "loss")
    if losses.empty:
        _say(loss_axes, theme, "The training log holds no loss.")
    else:
        span = smoothing_span(len(losses))
        smoothed = losses.ewm(span=span).mean()
        loss_axes.plot(losses.index, losses, color=theme.faint, alpha=0.55, lw=0.9, label="logged")
        name = f"smoothed (exponential, span {span} points)"
        loss_axes.plot(losses.index, smoothed, color=theme.accent, lw=1.8, label=name)
        _plain_log_axis(loss_axes)
        loss_axes.legend(frameon=False, labelcolor=theme.ink, fontsize=9)
    loss_axes.set_ylabel("loss")
    rates = _curve(log, "learning_rate")
    if rates.empty:
        _say(rate_axes, theme, "The training log holds no learning rate.")
    else:
        rate_axes.plot(rates.index, rates, color=theme.ink, lw=1.2)
        rate_axes.set_ylim(bottom=0)
        rate_axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    rate_axes.set_ylabel("learning rate")
    rate_axes.set_xlabel("optimiser step")
    for axes in (loss_axes, rate_axes):
        _dress(axes, theme)
    return figure


def metrics_figure(metrics: dict, split: str, theme: Theme = LIGHT) -> Figure:
    """One panel a metric: every method's mean as a point, its interval as a line."""
    scores = metrics[split]
    methods, names = methods_of(scores), metrics_of(scores)
    height = 1.3 + 0.36 * len(methods)
    figure = Figure(figsize=(9, height), layout="constrained", facecolor=theme.paper)
    if not names:
        axes = figure.subplots()
        _say(axes, theme, f"No method was measured on the {split} split.")
        _dress(axes, theme)
        return figure
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for name, axes in zip(names, panels, strict=True):
        for place, key in enumerate(methods):
            _interval(axes, theme, name, scores[key].get(name, {}), place, kind_of(key))
        arrow = {True: " →", False: " ←", None: ""}[higher_is_better(name)]
        shown_unit = f", {unit(name)}" if unit(name) else ""
        axes.set_xlabel(f"{label(name)}{shown_unit}{arrow and f'  (better{arrow})'}")
        axes.set_yticks(range(len(methods)), [method(key).name for key in methods])
        axes.set_ylim(len(methods) - 0.4, -0.6)
        axes.margins(x=0.16)
        _dress(axes, theme)
        axes.grid(visible=False, axis="y")
    return figure


def smoothing_span(points: int) -> int:
    """Span of the moving average, in log points: a twentieth of them, at least 5."""
    return max(5, points // 20)


def svg_uri(figure: Figure) -> str:
    """A figure => `data:image/svg+xml;base64,…`; text as outlines, so that no font is needed."""
    from matplotlib import rc_context

    file = io.BytesIO()
    with rc_context({"svg.hashsalt": "albedo_pipeline", "svg.fonttype": "path"}):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _curve(log: pd.DataFrame, name: str) -> pd.Series:
    if name not in log or "step" not in log:
        return pd.Series(dtype=float)
    curve = log.set_index("step")[name].astype(float)
    return curve[np.isfinite(curve) & (curve > 0 if name == "loss" else True)]


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


def _plain_log_axis(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(StrMethodFormatter("{x:g}"))


def _say(axes: Axes, theme: Theme, words: str) -> None:
    axes.text(
        0.5, 0.5, words, color=theme.faint, ha="center", va="center", transform=axes.transAxes
    )
    axes.set_yticks([])


def _dress(axes: Axes, theme: Theme) -> None:
    axes.set_facecolor("none")
    axes.grid(color=theme.grid, lw=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=theme.faint, labelcolor=theme.ink, labelsize=9)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(theme.faint)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_color(theme.ink)
        axis.get_offset_text().set_color(theme.ink)
