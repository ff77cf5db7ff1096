"""Metrics of modules outside the package, by their dotted paths."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module

import torch

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.metrics.base import Metric, MetricFunction
from albedo_pipeline.metrics.registry import add_quantities, quantities
from albedo_pipeline.provenance.code import code_digest

_COLOUR_SPACES = ("srgb", "linear")
_NOT_MEASURES = {"sample_id", "group", "split", "method", "set"}
_SUFFIXES = ("_aligned", "_unmasked")
_SHOWN = ("label", "higher_is_better", "unit", "digits", "main_order")


@dataclass(frozen=True)
class OwnMetric:
    """A metric of the user's, and what identifies its code."""

    metric: Metric
    path: str
    """Dotted path of the module, and the name in it."""
    code: str
    """Digest of the module's file."""

    @property
    def description(self) -> dict[str, object]:
        """What the protocol says about it, and how the report shows it."""
        shown = {name: getattr(self.metric, name) for name in _SHOWN}
        return {"path": self.path, "code": self.code, **shown}


def own_metrics(paths: Iterable[str], key: str) -> list[OwnMetric]:
    """The metrics at the dotted paths, in that order. The report then knows how to show them.

    Args:
        paths: each is a module that Python finds, a dot, and the name of a `Metric` in it.
        key: the setting that holds the paths, for errors.

    Raises:
        ProjectError: if a path leads to no metric, or a metric cannot be measured; names the key.
    """
    own: dict[str, OwnMetric] = {}
    shipped = {name for name, quantity in quantities().items() if quantity.shipped}
    for path in paths:
        where = f"{key}: {path}"
        metric = _metric_at(path, where)
        _check(metric, where)
        if metric.name in shipped or metric.name in own:
            raise ProjectError(f"{where}: there is a metric {metric.name!r} already; rename it")
        checked = replace(metric, shipped=False, function=partial(_run, metric.function, where))
        own[metric.name] = OwnMetric(checked, path, code_digest(path.rpartition(".")[0]))
    add_quantities(one.metric for one in own.values())
    return list(own.values())


def _metric_at(path: str, where: str) -> Metric:
    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ProjectError(f"{where}: {one_line(error)}") from error
    if not isinstance(found, Metric):
        raise ProjectError(
            f"{where}: this is {type(found).__name__}, not a Metric; give the dotted path of an "
            "object of albedo_pipeline.metrics.base.Metric"
        )
    return found


def _check(metric: Metric, where: str) -> None:
    if metric.colour_space not in _COLOUR_SPACES:
        raise ProjectError(
            f"{where}: colour_space: {metric.colour_space!r}; choose one of "
            f"{', '.join(_COLOUR_SPACES)}"
        )
    if metric.name in _NOT_MEASURES or metric.name.endswith(_SUFFIXES):
        raise ProjectError(
            f"{where}: name: {metric.name!r} has a meaning in the table of scores; rename it"
        )
    if metric.load_weights is not None:
        raise ProjectError(f"{where}: load_weights: load the weights in the module instead")


def _run(
    function: MetricFunction,
    where: str,
    prediction: torch.Tensor,
    truth: torch.Tensor,
    valid: torch.Tensor,
) -> torch.Tensor:
    """The scores [B] of the metric's function; its failures name the setting."""
    try:
        scores = torch.as_tensor(function(prediction, truth, valid))
    except Exception as error:
        raise ProjectError(f"{where}: {type(error).__name__}: {one_line(error)}") from error
    if scores.shape != (len(prediction),):
        raise ProjectError(
            f"{where}: gives {list(scores.shape)} for {len(prediction)} images; return one number "
            "for each, [B]"
        )
    return scores
