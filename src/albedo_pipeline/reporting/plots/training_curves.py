"""Training curves: losses, validation scores and learning rate by optimiser step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, StrMethodFormatter

from albedo_pipeline.metrics.registry import quantities
from albedo_pipeline.reporting.formatting import label, measured
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
VALIDATION = "validation_"
"""Beginning of the column of a score; the metric follows, or `<set>/<metric>` for a further set."""
RECONSTRUCTION = {
    "loss_mse": "squared error",
    "loss_l1": "absolute error",
    "loss_gradients": "gradients",
    "loss_lpips": "LPIPS",
    "loss_kl": "KL",
}
"""Terms of the loss of the autoencoder, without their weights: column and name."""
SIDES = {"loss_adversarial": "autoencoder", "loss_discriminator": "discriminators"}
"""Losses of the two sides of the adversarial training: column and name."""
_WEIGHTS = (("", "EMA weights", "-", 1.8), ("_raw", "raw weights", "--", 1.2))
"""End of the column, name, line style and line width of the two weights that are validated."""


@dataclass(frozen=True)
class Panel:
    """One of the plots that stand one below the other."""

    draw: Callable[[Axes, pd.DataFrame, Theme], None]
    """Draws the curves of a log."""
    height: float
    """Height relative to the other panels."""
    legend_columns: int = 4
    """Entries of the legend that stand side by side on a screen; on a phone, one does."""


def loss_figure(log: pd.DataFrame, theme: Theme = LIGHT, columns: int = WIDE) -> Figure:
    """Panels by optimiser step: loss, parts of the loss, PSNR, learning rate.

    The panels in the middle are drawn only if the log has their columns. If the loss or the
    learning rate is missing, a message takes its place.

    Args:
        columns: `WIDE` for a screen or `NARROW` for a phone, as for the other figures.
    """
    parts = [
        (QUARTERS, "loss by quarter of t,\nsmoothed, no unit", True),
        (TERMS, "terms, smoothed,\nno unit", True),
    ]
    panels = [*_parts_panels(log, parts), *_score_panels(log, "psnr", ("",))]
    return _figure(log, panels, theme, columns)


def autoencoder_figure(log: pd.DataFrame, theme: Theme = LIGHT, columns: int = WIDE) -> Figure:
    """Panels by optimiser step: loss, its terms, both sides of the adversary, PSNR, SSIM, LPIPS of
    beauty and albedo, and learning rate.

    The panels in the middle are drawn only if the log has their columns.

    Args:
        log: rows of the training log, such as `course` in the autoencoder's report.
        columns: `WIDE` for a screen or `NARROW` for a phone, as for the other figures.
    """
    parts = [
        (RECONSTRUCTION, "terms, smoothed,\nno unit", True),
        (SIDES, "adversarial losses,\nsmoothed, no unit", False),
    ]
    kinds = ("albedo_", "beauty_")
    scores = [
        panel for name in ("psnr", "ssim", "lpips") for panel in _score_panels(log, name, kinds)
    ]
    return _figure(log, [*_parts_panels(log, parts), *scores], theme, columns)


def _parts_panels(
    log: pd.DataFrame, parts: list[tuple[dict[str, str], str, bool]]
) -> Iterator[Panel]:
    """A panel for each group of parts of the loss that the log has.

    Args:
        parts: names by column, label of the axis, and whether it is logarithmic.
    """
    for names, title, is_log in parts:
        if any(not _curve(log, name, is_log).empty for name in names):
            yield Panel(partial(_draw_parts, parts=names, label=title, is_log=is_log), 2.2)


def _score_panels(log: pd.DataFrame, metric: str, kinds: tuple[str, ...]) -> Iterator[Panel]:
    """The panel of a score of the validation, if the log has it for one of the kinds of image."""
    columns = (f"{VALIDATION}{kind}{metric}{raw}" for kind in kinds for raw, *_ in _WEIGHTS)
    if any(not _curve(log, name).empty for name in columns):
        yield Panel(partial(_draw_scores, metric=metric, kinds=kinds), 2.2, legend_columns=2)


def _figure(log: pd.DataFrame, middle: list[Panel], theme: Theme, columns: int) -> Figure:
    """The loss, some panels, and the learning rate, one below the other."""
    panels = [Panel(_draw_loss, 3.0), *middle, Panel(_draw_learning_rate, 1.0)]
    heights = [panel.height for panel in panels]
    size = (9 if columns == WIDE else 5), 1.25 * sum(heights)
    figure = Figure(figsize=size, layout="constrained", facecolor=theme.paper)
    rows = figure.subplots(len(panels), 1, sharex=True, height_ratios=heights)
    for panel, axes in zip(panels, rows, strict=True):
        panel.draw(axes, log, theme)
        if panel.draw is not _draw_loss:
            _draw_legend_above(axes, theme, panel.legend_columns if columns == WIDE else 1)
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
    if (losses > 0).all():  # with an adversary it may be negative
        _set_plain_log_scale(axes)
    axes.legend(frameon=False, labelcolor=theme.ink, fontsize=9)


def _draw_parts(
    axes: Axes, log: pd.DataFrame, theme: Theme, parts: dict[str, str], label: str, is_log: bool
) -> None:
    colours = (*theme.quarters, theme.accent, theme.ink)
    for (column, name), colour in zip(parts.items(), colours, strict=False):
        losses = _curve(log, column, is_log)
        if not losses.empty:
            _draw_line(axes, _smoothed(losses), color=colour, lw=1.1, label=name)
    if is_log:
        _set_plain_log_scale(axes)
    axes.set_ylabel(label)


def _draw_scores(
    axes: Axes, log: pd.DataFrame, theme: Theme, metric: str, kinds: tuple[str, ...]
) -> None:
    """A score by EMA and raw weights; if there are two kinds of image, each has a colour."""
    quantity = quantities()[metric]
    for kind, of_kind in zip(kinds, (theme.accent, theme.splits[1]), strict=False):
        for raw, weights, line, width in _WEIGHTS:
            scores = _curve(log, f"{VALIDATION}{kind}{metric}{raw}")
            if scores.empty:
                continue
            colour = theme.faint if raw and len(kinds) == 1 else of_kind
            at = scores.idxmax() if quantity.higher_is_better else scores.idxmin()
            value = scores.max() if quantity.higher_is_better else scores.min()
            best = measured(metric, value, with_unit=True)
            name = f"{kind.rstrip('_')}, {weights}" if kind else weights
            text = f"{name} (best {best}, step {at:.0f})"
            _draw_line(axes, scores, color=colour, ls=line, lw=width, label=text)
    for name, colour in zip(_further_sets(log, metric), cycle(theme.quarters)):
        scores = _curve(log, f"{VALIDATION}{name}/{metric}")
        _draw_line(axes, scores, color=colour, lw=1.1, label=f"{name}, EMA weights")
    unit = f", {quantity.unit}" if quantity.unit else ",\nno unit"
    axes.set_ylabel(f"validation {label(metric)}{unit}")


def _further_sets(log: pd.DataFrame, metric: str) -> list[str]:
    """Names of the sets besides the one that decides what is best."""
    columns = [name for name in map(str, log) if name.endswith(f"/{metric}")]
    return [name.removeprefix(VALIDATION).removesuffix(f"/{metric}") for name in columns]


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


def _curve(log: pd.DataFrame, name: str, is_log: bool = False) -> pd.Series:
    """The drawable values of a column by step; empty if the log does not have the column.

    Args:
        is_log: whether the axis is logarithmic, which shows positive values alone.
    """
    if name not in log or "step" not in log:
        return pd.Series(dtype=float)
    curve = log.set_index("step")[name].astype(float)
    return curve[np.isfinite(curve) & ((curve > 0) | (not is_log))]


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
