"""How names and numbers are written in the report."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeGuard

from albedo_pipeline.metrics import (
    ANGULAR,
    DELTA_E,
    LMSE,
    MARIGOLD_PSNR,
    MARIGOLD_SSIM,
    PSNR,
    RMSE,
    SI_MSE,
    SI_MSE_RGB,
    SSIM,
)

MODEL, CEILING = "model", "autoencoder_roundtrip"
"""Keys of the two methods that are not baselines."""

MISSING = "–"


@dataclass(frozen=True)
class Method:
    """A method's name, and what it does in one line (may be empty)."""

    name: str
    about: str = ""


_METHODS = {
    MODEL: Method("Model", "the trained denoiser"),
    "beauty_as_albedo": Method("Beauty as albedo", "the input, unchanged"),
    "beauty_best_scale": Method(
        "Beauty, best scale", "the input times the factor that fits the truth best"
    ),
    "retinex_best_scale": Method(
        "Retinex, best scale",
        "classical, without learning (Horn 1974; Grosse et al. 2009); times the factor that fits "
        "the truth best",
    ),
    CEILING: Method(
        "Autoencoder round trip", "the truth, encoded and decoded: no denoiser can pass it"
    ),
}
_METRICS = {
    metric.name: metric
    for metric in (
        *(PSNR, SSIM, RMSE, DELTA_E, SI_MSE, SI_MSE_RGB, LMSE, ANGULAR),
        *(MARIGOLD_PSNR, MARIGOLD_SSIM),
    )
}
_LOWER_IS_BETTER = (
    *("lpips", "marigold_lpips", "constancy"),
    *("aurc", "aurc_oracle", "aurc_random", "aurc_excess"),
)
"""Measures that are no metric of one image, or whose metric needs weights to exist."""
_LABELS = {
    "psnr": "PSNR",
    "ssim": "SSIM",
    "rmse": "RMSE",
    "delta_e": "ΔE00",
    "si_mse": "si-MSE",
    "si_mse_rgb": "si-MSE, by channel",
    "lmse": "LMSE",
    "angular": "Angular error",
    "lpips": "LPIPS",
    "mse": "MSE",
    "marigold_psnr": "PSNR (Marigold)",
    "marigold_ssim": "SSIM (Marigold)",
    "marigold_lpips": "LPIPS (Marigold)",
    "constancy": "Constancy error",
    "aurc": "AURC",
    "aurc_oracle": "AURC of the oracle",
    "aurc_random": "AURC of no order",
    "aurc_excess": "Excess AURC",
}
_UNITS = {"delta_e": "", "angular": "°"}
"""Where the label says it, or a sign is usual."""
_DIGITS = {
    **dict.fromkeys(("psnr", "delta_e", "angular", "marigold_psnr"), 2),
    **dict.fromkeys(("si_mse", "si_mse_rgb"), 4),
}
_SUFFIXES = {"_aligned": "aligned", "_unmasked": "all pixels"}
MAIN = (
    *("psnr", "ssim", "lpips", "rmse", "delta_e", "lmse"),
    *("marigold_psnr", "marigold_ssim", "marigold_lpips", "constancy"),
)
"""The measures that are shown first, in this order; the others stand in the long table."""


def main_measures(names: Iterable[str]) -> list[str]:
    """Those of the names that are shown first; all where none of these is among them."""
    names = list(names)
    return [name for name in MAIN if name in names] or names


def method(key: str) -> Method:
    """The method's nice name where it is known, else its key."""
    return _METHODS.get(key, Method(key))


def label(key: str) -> str:
    """A measure's nice name where it is known, else its key: `psnr_aligned` => `PSNR, aligned`."""
    base, suffixes = _taken_apart(key)
    if base not in _LABELS:
        return key
    return ", ".join([_LABELS[base], *(_SUFFIXES[suffix] for suffix in suffixes)])


def unit(key: str) -> str:
    """A measure's unit; empty where it has none or is not the project's."""
    base, _ = _taken_apart(key)
    if base in _UNITS:
        return _UNITS[base]
    return _METRICS[base].unit if base in _METRICS else ""


def higher_is_better(key: str) -> bool | None:
    """A measure's direction; None where it is not the project's."""
    base, _ = _taken_apart(key)
    if base in _METRICS:
        return _METRICS[base].higher_is_better
    return False if base in _LOWER_IS_BETTER else None


def _taken_apart(key: str) -> tuple[str, list[str]]:
    """A measure's metric, and what is appended to it."""
    suffixes: list[str] = []
    for suffix in reversed(_SUFFIXES):
        if key.endswith(suffix):
            key, suffixes = key.removesuffix(suffix), [suffix, *suffixes]
    return key, suffixes


def finite(value: object) -> TypeGuard[float]:
    """Whether it is a number, and neither NaN nor infinite."""
    return _is_number(value) and math.isfinite(value)


def measured(key: str, value: object, with_unit: bool = False) -> str:
    """A metric's value as text: a dash for NaN and None, ∞ for infinity."""
    if not _is_number(value) or math.isnan(value):
        return MISSING
    digits = _DIGITS.get(_taken_apart(key)[0], 3)
    text = f"{value:.{digits}f}" if math.isfinite(value) else _infinity(value)
    if not with_unit:
        return text
    return f"{text} {unit(key)}".rstrip().replace(" °", "°")


def plain(value: object) -> str:
    """Any value as text: numbers with four significant digits, containers spelled out."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if _is_number(value):
        return _number(value)
    if isinstance(value, dict):
        return ", ".join(f"{spaced(str(key))}: {plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    return str(value)


def spaced(key: str) -> str:
    """`validation_beauty_psnr` => `validation beauty PSNR`."""
    return " ".join(label(word) for word in key.split("_"))


def count(number: int, noun: str) -> str:
    """`1 sample`, `48 samples`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def percentage(share: object) -> str:
    """A share in [0, 1] as text: `12.3 %`, `0.70 %`, `0 %`; a dash for NaN, None, infinity."""
    if not finite(share):
        return MISSING
    if 0 < share < 0.0001:
        return "< 0.01 %"
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    return f"{100 * share:.{1 if share >= 0.01 else 2}f} %"


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: float) -> str:
    if math.isnan(value):
        return MISSING
    return f"{value:.4g}" if math.isfinite(value) else _infinity(value)


def _infinity(value: float) -> str:
    return "∞" if value > 0 else "−∞"
