"""Nodes of `iiw` and `maw`."""

from pathlib import Path

from albedo_pipeline.node_types import AlbedoModel, DataFrame, Photo
from albedo_pipeline.params import EvaluateParams


def score_iiw(
    photos: list[Photo], project_model: Path, params: EvaluateParams
) -> tuple[DataFrame, dict]:
    """Scores on IIW: how often the model disagrees with people about which surface is darker."""
    from albedo_pipeline.evaluation.photographs import IIW, score_photos

    return score_photos(photos, _model(project_model), IIW, params)


def score_maw(
    photos: list[Photo], project_model: Path, params: EvaluateParams
) -> tuple[DataFrame, dict]:
    """Scores on MAW: how far the predicted albedo is from measured albedo."""
    from albedo_pipeline.evaluation.photographs import MAW, score_photos

    return score_photos(photos, _model(project_model), MAW, params)


def _model(export: Path) -> AlbedoModel:
    from albedo_pipeline.models.albedo_model import load_albedo_model, project_model_name
    from albedo_pipeline.params.base import PretrainedModel

    return load_albedo_model(PretrainedModel(model=project_model_name(export)))
