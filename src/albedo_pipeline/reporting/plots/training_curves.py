"""Training curves: loss, validation PSNR and learning rate by optimiser step."""

from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, StrMethodFormatter

from albedo_pipeline.reporting.formatting import measured
from albedo_pipeline.reporting.plots.scores import WIDE
from albedo_pipeline.reporting.plots.themes import LIGHT, Theme, show_message, style_axes

QUARTERS = {
    "loss_t1of4": "1st quarter of the timesteps t (least noise)",
    "loss_t2of4": "2nd",
    "loss_t3of4": "3rd",
    "loss_t4of4": "4th (most noise)",
}
"""Parts of the loss of the objective `diffusion`: column and name."""
TERMS = {
    "loss_latent": "latent",
    "loss_pixels": "pixels",
    "loss_gradients": "gradients",
    "loss_ssim": "1 - SSIM",
    "loss_constancy": "constancy",
    "loss_features": "features",
}
"""Terms of the loss of the objective `end_to_end`, without their weights: column and name."""
_LEGEND_COLUMNS = 4
VALIDATION = "validation_"
PSNRS = [f"{VALIDATION}psnr", f"{VALIDATION}psnr_raw"]
_PSNR_OF_SET = "/psnr"
"""End of the column of a further set, `validation_<set>/psnr`."""


def loss_figure(log: pd.DataFrame, theme: Theme = LIGHT, columns: int = WIDE) -> Figure:
    """Panels by optimiser step: loss, parts of the loss, PSNR, learning rate.

    The panels in the middle are drawn only if the log has their columns. If the loss or the
    learning rate is missing, a message takes its place.

    Args:
        columns: `WIDE` for a screen or `NARROW` for a phone, as for the other figures.
    """
    panels: list[tuple[Callable, float]] = [(_draw_loss, 3.0)]
    for parts, label in (
        (QUARTERS, "loss by quarter of t,\nsmoothed, no unit"),
        (TERMS, "terms, smoothed,\nno unit"),
    ):
        if any(not _curve(log, name).empty for name in parts):
            panels.append((partial(_draw_parts, parts=parts, label=label), 2.2))
    if any(not _curve(log, name).empty for name in PSNRS):
        panels.append((_draw_psnr, 2.2))
    panels.append((_draw_learning_rate, 1.0))
    heights = [height for _, height in panels]
    size = (9 if columns == WIDE else 5), 1.25 * sum(heights)
    figure = Figure(figsize=size, layout="constrained", facecolor=theme.paper)
    rows = figure.subplots(len(panels), 1, sharex=True, height_ratios=heights)
    for (draw, _), axes in zip(panels, rows, strict=True):
        draw(axes, log, theme)
        if draw is not _draw_loss:
            _draw_legend_above(axes, theme, _LEGEND_COLUMNS if columns == WIDE else 1)
        style_axes(axes, theme)
    rows[-1].set_xlabel("optimiser steps")
    rows[-1].xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    figure.align_ylabels(rows)
    return figure


def _draw_loss(axes: Axes, log: pd.DataFrame, theme: Theme) -> None:
    axes.set_ylabel("loss, no unit")
    losses = _curve(log, "loss")
    if losses.empty:
        show_message(axes, theme, "The training log has no loss.")
        return
    name = f"smoothed (exponential, span {smoothing_span(len(losses))} points)"
    _draw_line(axes, losses, color=theme.faint, alpha=0.55, lw=0.9, label="logged")
    _draw_line(axes, _smoothed(losses), color=theme.accent, lw=1.8, label=name)
    _set_plain_log_scale(axes)
    axes.legend(frameon=False, labelcolor=theme.ink, fontsize=9)


def _draw_parts(
    axes: Axes, log: pd.DataFrame, theme: Theme, parts: dict[str, str], label: str
) -> None:
    colours = (*theme.quarters, theme.accent, theme.ink)
    for (column, name), colour in zip(parts.items(), colours, strict=False):
        losses = _curve(log, column)
        if not losses.empty:
            _draw_line(axes, _smoothed(losses), color=colour, lw=1.1, label=name)
    _set_plain_log_scale(axes)
    axes.set_ylabel(label)


def _draw_psnr(axes: Axes, log: pd.DataFrame, theme: Theme) -> None:
    styles = (("EMA weights", theme.accent, "-", 1.8), ("raw weights", theme.faint, "--", 1.2))
    for column, (name, colour, line, width) in zip(PSNRS, styles, strict=True):
        scores = _curve(log, column)
        if not scores.empty:
            best = measured("psnr", scores.max(), with_unit=True)
            text = f"{name} (best {best}, step {scores.idxmax():.0f})"
            _draw_line(axes, scores, color=colour, ls=line, lw=width, label=text)
    for name, colour in zip(_further_sets(log), cycle(theme.quarters)):
        scores = _curve(log, f"{VALIDATION}{name}{_PSNR_OF_SET}")
        _draw_line(axes, scores, color=colour, lw=1.1, label=f"{name}, EMA weights")
    axes.set_ylabel("validation PSNR, dB")


def _further_sets(log: pd.DataFrame) -> list[str]:
    """Names of the sets besides the one that decides what is best."""
    columns = [name for name in map(str, log) if name.endswith(_PSNR_OF_SET)]
    return [name.removeprefix(VALIDATION).removesuffix(_PSNR_OF_SET) for name in columns]


def _draw_learning_rate(axes: Axes, log: pd.DataFrame, theme: Theme) -> None:
    axes.set_ylabel("learning rate,\nno unit")
    rates = _curve(log, "learning_rate")
    if rates.empty:
        show_message(axes, theme, "The training log has no learning rate.")
        return
    _draw_line(axes, rates, color=theme.ink, lw=1.2)
    axes.set_ylim(bottom=0)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))


def smoothing_span(points: int) -> int:
    """Span of the moving average in log points: a twentieth of all points, at least 5."""
    return max(5, points // 20)


def _curve(log: pd.DataFrame, name: str) -> pd.Series:
    """The drawable values of a column by step; empty if the log does not have the column."""
    if name not in log or "step" not in log:
        return pd.Series(dtype=float)
    curve = log.set_index("step")[name].astype(float)
    drawable = curve > 0 if name.startswith("loss") else True  # losses have a logarithmic axis
    return curve[np.isfinite(curve) & drawable]


def _smoothed(curve: pd.Series) -> pd.Series:
    return curve.ewm(span=smoothing_span(len(curve))).mean()


def _draw_line(axes: Axes, curve: pd.Series, **style: Any) -> None:
    marker = "o" if len(curve) <= 40 else None  # shows how few points there are; one has no line
    axes.plot(curve.index, curve, marker=marker, ms=3, **style)


def _draw_legend_above(axes: Axes, theme: Theme, columns: int) -> None:
    """Draw the legend above the plot, because the lines leave no corner free."""
    if not axes.get_legend_handles_labels()[0]:
        return
    axes.legend(
        ncols=columns,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderpad=0,
        frameon=False,
        labelcolor=theme.ink,
        fontsize=9,
    )


def _set_plain_log_scale(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(StrMethodFormatter("{x:g}"))
