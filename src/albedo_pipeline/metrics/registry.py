"""Finds all quantities that the modules of `metrics` define, so that no list has to name them."""

import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from types import ModuleType

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.metrics.base import OURS, Metric, Quantity

_added: dict[str, Quantity] = {}
"""Quantities of modules outside the package, by name."""


def add_quantities(quantities_outside: Iterable[Quantity]) -> None:
    """Make known how quantities that no module of `metrics` defines are shown.

    A later one replaces an earlier one of its name; none replaces one of the package.
    """
    _added.update({quantity.name: quantity for quantity in quantities_outside})
    quantities.cache_clear()


@cache
def quantities() -> dict[str, Quantity]:
    """All quantities by name, in the order in which the report shows them.

    Raises:
        ProjectError: if two quantities have the same name.
    """
    found: dict[str, tuple[Quantity, str]] = {}
    for module in _modules():
        for quantity in vars(module).values():
            if not isinstance(quantity, Quantity):
                continue
            first, first_module = found.setdefault(quantity.name, (quantity, module.__name__))
            if first is not quantity:
                raise ProjectError(
                    f"metrics: {first_module} and {module.__name__} both define "
                    f"{quantity.name!r}; rename one of them"
                )
    known = _added | {name: quantity for name, (quantity, _) in found.items()}
    ordered = sorted(known.values(), key=_display_order)
    return {quantity.name: quantity for quantity in ordered}


def image_metrics(protocol: str | None = None) -> list[Metric]:
    """The package's metrics of one protocol or of all, in the order in which they are measured."""
    shipped = (quantity for quantity in quantities().values() if quantity.shipped)
    metrics = [quantity for quantity in shipped if isinstance(quantity, Metric)]
    chosen = [metric for metric in metrics if protocol in (None, metric.protocol)]
    return sorted(chosen, key=_measuring_order)


def _modules() -> Iterator[ModuleType]:
    package = __name__.rpartition(".")[0]
    for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        yield import_module(module.name)


def _measuring_order(metric: Metric) -> tuple[bool, int, str]:
    return metric.protocol != OURS, metric.order, metric.name


def _display_order(quantity: Quantity) -> tuple[bool, int, str]:
    return quantity.main_order is None, quantity.main_order or 0, quantity.name
