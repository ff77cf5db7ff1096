"""The content of `metrics.json`: its splits, methods and metrics."""

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.reporting.formatting import (
    BASELINES,
    CEILING,
    MODEL,
    finite,
    higher_is_better,
)

METHOD_KINDS = ("model", "other", "baseline", "ceiling")
"""Kinds of methods, in the order of tables and plots."""


def main_split(metrics: dict) -> str:
    """The split that the report is about: test, or else the first that was evaluated.

    Raises:
        ProjectError: if the metrics have no split.
    """
    splits = split_names(metrics)
    if not splits:
        raise ProjectError("metrics: no split was evaluated; see parameters 'evaluate.splits'")
    return "test" if "test" in splits else splits[0]


def split_names(metrics: dict) -> list[str]:
    """Every evaluated split, in the order of the file."""
    other_keys = ("protocol", "lineage", "sets")
    return [key for key in metrics if key not in other_keys and isinstance(metrics[key], dict)]


def methods_of(scores: dict) -> list[str]:
    """Methods of one split: the model, the models it is compared with, baselines, the ceiling."""
    keys = [key for key, value in scores.items() if isinstance(value, dict)]
    return sorted(keys, key=lambda key: METHOD_KINDS.index(method_kind(key)))


def metrics_of(scores: dict) -> list[str]:
    """Every metric that any method of one split has, in the order of the file."""
    return list(dict.fromkeys(name for key in methods_of(scores) for name in scores[key]))


def method_kind(key: str) -> str:
    """`model`, `other` (a model that it is compared with), `baseline` or `ceiling`."""
    if key in BASELINES:
        return "baseline"
    return {MODEL: "model", CEILING: "ceiling"}.get(key, "other")


def best_method(scores: dict, name: str, keys: list[str]) -> str | None:
    """The method with the best mean of a metric; the first if several are equal.

    None if no mean is finite, or if it is not known which direction is better.

    Args:
        scores: the scores of one split.
        name: key of the metric.
        keys: keys of the methods to choose from.
    """
    higher = higher_is_better(name)
    keys = [key for key in keys if finite(scores[key].get(name, {}).get("mean"))]
    if higher is None or not keys:
        return None
    return (max if higher else min)(keys, key=lambda key: scores[key][name]["mean"])


def confidence(metrics: dict, parameters: dict) -> float:
    """Confidence of the intervals in percent, from the protocol or else the parameters.

    95 if neither has it.
    """
    for settings in (metrics.get("protocol", {}), parameters.get("evaluate", {})):
        for holder in (settings, settings.get("bootstrap")):
            if isinstance(holder, dict) and finite(holder.get("confidence")):
                return 100 * holder["confidence"]
    return 95.0
