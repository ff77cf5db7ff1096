"""The metric that decides which checkpoint is best, and the network weights that it needs."""

from pathlib import Path

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.evaluation.own_metrics import own_metrics
from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.image.lpips import Weights
from albedo_pipeline.metrics.registry import image_metrics
from albedo_pipeline.params.optimisation import Validation
from albedo_pipeline.training.lpips_weights import lpips_digest, lpips_weights


def validation_metric(params: Validation) -> Metric:
    """The metric that decides which checkpoint is best.

    Raises:
        ProjectError: if there is no such metric, or it needs weights and they cannot be read.
    """
    name, key = params.metric, "train.validation.metric"
    if "." in name:
        return own_metrics([name], key)[0].metric
    metrics = {metric.name: metric for metric in image_metrics()}
    known = ", ".join(key for key, metric in metrics.items() if metric.load_weights is None)
    if name not in metrics:
        raise ProjectError(
            f"{key}: no metric {name!r}; choose one of {known}, or the dotted path of one of yours"
        )
    if metrics[name].load_weights is None:
        return metrics[name]
    if params.lpips_weights is None:
        raise ProjectError(
            f"{key}: {name!r} needs the weights of a network; name their file in "
            f"train.validation.lpips_weights, or choose one of {known}"
        )
    return metrics[name].bound_to(_weights(params.lpips_weights))


def metric_digest(params: Validation) -> dict[str, str]:
    """Digest of the weights that the metric needs, as `lpips_weights`; empty if it needs none.

    Raises:
        ProjectError: if they cannot be read.
    """
    needing = {metric.name for metric in image_metrics() if metric.load_weights is not None}
    if params.metric not in needing or params.lpips_weights is None:
        return {}
    return {"lpips_weights": lpips_digest(_weights(params.lpips_weights))}


def _weights(file: Path) -> Weights:
    return lpips_weights(file, "train.validation.lpips_weights")
