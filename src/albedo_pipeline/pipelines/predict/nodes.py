"""Nodes of `predict`."""

from pathlib import Path

from albedo_pipeline.node_types import PredictionJob
from albedo_pipeline.params import PredictParams


def predict_images(project_model: Path, params: PredictParams) -> PredictionJob:
    """The albedo of every user image that has none yet."""
    from albedo_pipeline.inference.predict_job import predict_job

    return predict_job(project_model, params)


def show_predictions(user_predictions: dict) -> str:
    """A page with every image and its albedo, or the reason why it has none."""
    from albedo_pipeline.reporting.user_page import user_page

    return user_page(user_predictions)


def name_bad_images(user_predictions: dict, user_page: str) -> None:
    """Fail the run if an image could not be used, after all others are done."""
    from albedo_pipeline.inference.predict_job import check_all_done

    check_all_done(user_predictions)
