"""How names and numbers are written in the report."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeGuard

from albedo_pipeline.metrics.base import Quantity
from albedo_pipeline.metrics.registry import add_quantities, quantities
from albedo_pipeline.params.base import BUNDLED

MODEL, CEILING = "model", "autoencoder_roundtrip"
"""Keys of the trained model, and of the best that its autoencoder allows."""
BASELINES = ("beauty_as_albedo", "beauty_best_scale", "retinex_best_scale")
"""Keys of the methods without learning. Every other method is a model to compare with."""

MISSING = "–"


@dataclass(frozen=True)
class Method:
    """A method as the report shows it."""

    name: str
    """Display name."""
    about: str = ""
    """What the method does, in one line; may be empty."""


_METHODS = {
    MODEL: Method("Model", "the trained denoiser"),
    BUNDLED: Method(
        "Bundled estimator", "ships with albedo_pipeline; trained on renders of its own"
    ),
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
_SUFFIXES = {"_aligned": "aligned", "_unmasked": "all pixels"}


def show_own_metrics(protocol: dict) -> None:
    """Make known how a protocol's metrics from outside the package are shown.

    Their module need not be there: the protocol in `metrics.json` describes them.
    """
    own = protocol.get("own_metrics", {})
    add_quantities(
        Quantity(
            name=name,
            label=about["label"],
            higher_is_better=about["higher_is_better"],
            unit=about["unit"],
            digits=about["digits"],
            main_order=about["main_order"],
            shipped=False,
        )
        for name, about in own.items()
    )


def main_names() -> list[str]:
    """Names of all quantities that the report shows first, in this order."""
    return [name for name, quantity in quantities().items() if quantity.main_order is not None]


def main_measures(names: Iterable[str]) -> list[str]:
    """The names that the report shows first, in its order; all of them if it shows none first."""
    names = list(names)
    return [name for name in main_names() if name in names] or names


def method(key: str) -> Method:
    """The method's display name and description; for an unknown method its key."""
    return _METHODS.get(key, Method(key))


def label(key: str) -> str:
    """A measure's display name: `psnr_aligned` => `PSNR, aligned`; for an unknown one its key."""
    quantity, suffixes = _parsed(key)
    if quantity is None:
        return key
    return ", ".join([quantity.label, *(_SUFFIXES[suffix] for suffix in suffixes)])


def unit(key: str) -> str:
    """A measure's unit; empty if it has none or the measure is unknown."""
    quantity, _ = _parsed(key)
    return quantity.unit if quantity else ""


def higher_is_better(key: str) -> bool | None:
    """Whether a higher value of a measure is better; None if the measure is unknown."""
    quantity, _ = _parsed(key)
    return quantity.higher_is_better if quantity else None


def _parsed(key: str) -> tuple[Quantity | None, list[str]]:
    """The quantity that a measure is of, None if it is unknown, and the measure's suffixes."""
    suffixes: list[str] = []
    for suffix in reversed(_SUFFIXES):
        if key.endswith(suffix):
            key, suffixes = key.removesuffix(suffix), [suffix, *suffixes]
    return quantities().get(key), suffixes


def finite(value: object) -> TypeGuard[float]:
    """Whether the value is a number that is neither NaN nor infinite."""
    return _is_number(value) and math.isfinite(value)


def measured(key: str, value: object, with_unit: bool = False) -> str:
    """A measure's value as text: a dash for NaN and None, ∞ for infinity."""
    if not _is_number(value) or math.isnan(value):
        return MISSING
    quantity, _ = _parsed(key)
    digits = quantity.digits if quantity else 3
    text = f"{value:.{digits}f}" if math.isfinite(value) else _infinity(value)
    if not with_unit:
        return text
    return f"{text} {unit(key)}".rstrip().replace(" °", "°")


def signed(key: str, value: float) -> str:
    """A difference of a measure as text, with its sign; without one if all its digits are 0."""
    text = measured(key, value)
    if finite(value) and float(text) == 0:
        return text.removeprefix("-")
    return f"+{text}" if finite(value) and value > 0 else text.replace("-", "−")


def verdict(key: str, difference: dict) -> str:
    """`better`, `worse`, or `undecided` if the interval contains zero.

    Args:
        difference: ends of the interval, `low` and `high`.
    """
    if not (difference["low"] > 0 or difference["high"] < 0):
        return "undecided"
    return "better" if (difference["low"] > 0) == bool(higher_is_better(key)) else "worse"


def plain(value: object) -> str:
    """Any value as text: numbers with four significant digits, containers as lists."""
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
    """A key as words: `validation_beauty_psnr` => `validation beauty PSNR`."""
    return " ".join(label(word) for word in key.split("_"))


def count(number: int, noun: str) -> str:
    """A number with its noun: `1 sample`, `48 samples`."""
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
