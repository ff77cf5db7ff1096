"""Nodes of `iiw` and `maw`."""

from collections.abc import Callable

from albedo_pipeline.node_types import AlbedoModel, DataFrame, Photo
from albedo_pipeline.params import EvaluateParams


def score_iiw(
    photos: list[Photo], project_model: Callable[[], AlbedoModel], params: EvaluateParams
) -> tuple[DataFrame, dict]:
    """How often the model disagrees with people on which surface is darker."""
    from albedo_pipeline.evaluation.photographs import IIW, score_photos

    return score_photos(photos, project_model(), IIW, params)


def score_maw(
    photos: list[Photo], project_model: Callable[[], AlbedoModel], params: EvaluateParams
) -> tuple[DataFrame, dict]:
    """How far the model is from albedos that were measured."""
    from albedo_pipeline.evaluation.photographs import MAW, score_photos

    return score_photos(photos, project_model(), MAW, params)
