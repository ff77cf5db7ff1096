"""Nodes of `app`."""

from pathlib import Path

from albedo_pipeline.params import AppParams, PredictParams


def serve_app(project_model: Path, params: AppParams, predict: PredictParams) -> None:
    """Serve the app until it is stopped."""
    from albedo_pipeline.app.run import run_app

    run_app(project_model, params, predict)
