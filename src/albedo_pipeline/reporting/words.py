"""How names and numbers are written in the report."""

import math
from dataclasses import dataclass

from albedo_pipeline.metrics import METRICS

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
_LABELS = {"psnr": "PSNR", "ssim": "SSIM", "lpips": "LPIPS", "mse": "MSE", "rmse": "RMSE"}
_DIGITS = {"psnr": 2, "ssim": 3}


def method(key: str) -> Method:
    """The method's nice name where it is known, else its key."""
    return _METHODS.get(key, Method(key))


def label(key: str) -> str:
    """A metric's nice name where it is known, else its key."""
    return _LABELS.get(key, key)


def unit(key: str) -> str:
    """A metric's unit; empty where it has none or the metric is not the project's."""
    return next((metric.unit for metric in METRICS if metric.name == key), "")


def higher_is_better(key: str) -> bool | None:
    """A metric's direction; None where the metric is not the project's."""
    return next((metric.higher_is_better for metric in METRICS if metric.name == key), None)


def finite(value: object) -> bool:
    """Whether it is a number, and neither NaN nor infinite."""
    return _is_number(value) and math.isfinite(value)


def measured(key: str, value: object, with_unit: bool = False) -> str:
    """A metric's value as text: a dash for NaN and None, ∞ for infinity."""
    if not _is_number(value) or math.isnan(value):
        return MISSING
    text = f"{value:.{_DIGITS.get(key, 3)}f}" if math.isfinite(value) else _infinity(value)
    return f"{text} {unit(key)}".rstrip() if with_unit else text


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


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: float) -> str:
    if math.isnan(value):
        return MISSING
    return f"{value:.4g}" if math.isfinite(value) else _infinity(value)


def _infinity(value: float) -> str:
    return "∞" if value > 0 else "−∞"
