"""Nodes of `iiw` and `maw`."""

from collections.abc import Callable

from albedo_pipeline.node_types import AlbedoModel, DataFrame, Photo
from albedo_pipeline.params import EvaluateParams


def score_iiw(
    photos: list[Photo], project_model: Callable[[], AlbedoModel], params: EvaluateParams
) -> tuple[DataFrame, dict]:
    """Scores on IIW: how often the model disagrees with people about which surface is darker."""
    from albedo_pipeline.evaluation.photographs import IIW, score_photos

    return score_photos(photos, project_model(), IIW, params)


def score_maw(
    photos: list[Photo], project_model: Callable[[], AlbedoModel], params: EvaluateParams
) -> tuple[DataFrame, dict]:
    """Scores on MAW: how far the predicted albedo is from measured albedo."""
    from albedo_pipeline.evaluation.photographs import MAW, score_photos

    return score_photos(photos, project_model(), MAW, params)
