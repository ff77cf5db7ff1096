"""Nodes of `app`."""

from pathlib import Path

from albedo_pipeline.node_types import Checkpoints
from albedo_pipeline.params import AppParams, PredictParams


def serve_app(
    project_model: Path,
    checkpoints: Checkpoints,
    tensorboard: Path,
    autoencoder_checkpoints: Checkpoints,
    autoencoder_tensorboard: Path,
    params: AppParams,
    predict: PredictParams,
) -> None:
    """Serve the app until it is stopped."""
    from albedo_pipeline.app.run import run_app

    trainings = {
        "train": (checkpoints.folder, tensorboard),
        "autoencoder": (autoencoder_checkpoints.folder, autoencoder_tensorboard),
    }
    run_app(project_model, trainings, params, predict)
