"""Colours of the figures in light and dark mode, and helpers that every figure uses."""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Theme:
    """Colours of a figure, as matplotlib takes them."""

    ink: str
    """Colour of labels and of everything but the model."""
    faint: str
    """Colour of axes and secondary text."""
    grid: str
    """Colour of grid lines."""
    accent: str
    """Colour of the model."""
    paper: str
    """Background colour."""
    quarters: tuple[str, str, str, str]
    """Colours of the quarters of the timesteps, from the least noise to the most."""
    splits: tuple[str, str, str, str]
    """Colours of the training, validation and test split, and of any other."""


_LIGHT_QUARTERS = ("#f58b47", "#d04d73", "#9a169f", "#2a0593")
_DARK_QUARTERS = ("#f9dc24", "#f9983e", "#e8689a", "#a78bfa")
_LIGHT_SPLITS = ("#0b62c4", "#e08a1e", "#9a169f", "#8a8a8a")
_DARK_SPLITS = ("#6cb0ff", "#f5b042", "#d98cf0", "#8a8a8a")
LIGHT = Theme("#1b1b1b", "#6b6b6b", "#dddddd", "#0b62c4", "#ffffff", _LIGHT_QUARTERS, _LIGHT_SPLITS)
DARK = Theme("#e8e8e8", "#a0a0a0", "#3d3d3d", "#6cb0ff", "none", _DARK_QUARTERS, _DARK_SPLITS)


def light_and_dark(draw: Callable[[Theme], Figure]) -> dict[str, str]:
    """A figure drawn in both themes, as data URIs under the keys `light` and `dark`."""
    return {"light": svg_uri(draw(LIGHT)), "dark": svg_uri(draw(DARK))}


def svg_uri(figure: Figure) -> str:
    """A figure => `data:image/svg+xml;base64,…`. Text becomes outlines, so no font is needed."""
    from matplotlib import rc_context

    file = io.BytesIO()
    with rc_context({"svg.hashsalt": "albedo_pipeline", "svg.fonttype": "path"}):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None}, dpi=144)
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def plot_dots(axes: Axes, x: np.ndarray, y: np.ndarray, **style: Any) -> None:
    """Draw one dot per sample, rasterised: thousands of vector dots make the page heavy."""
    axes.plot(x, y, ".", mew=0, rasterized=True, **style)


def show_message(axes: Axes, theme: Theme, message: str) -> None:
    """Write a message in place of a plot."""
    axes.text(
        0.5, 0.5, message, color=theme.faint, ha="center", va="center", transform=axes.transAxes
    )
    axes.set_yticks([])


def style_axes(axes: Axes, theme: Theme) -> None:
    """Set the colours of axes, grid and labels, and keep only the left and bottom spines."""
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
