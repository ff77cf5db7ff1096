"""`app`: predictions and the running training in a browser."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.app.nodes import serve_app


def create_pipeline() -> Pipeline:
    """One node, which ends when the app is stopped."""
    return Pipeline(
        [
            node(
                serve_app,
                [
                    "project_model",
                    "checkpoints",
                    "tensorboard",
                    "autoencoder_checkpoints",
                    "autoencoder_tensorboard",
                    "params:app",
                    "params:predict",
                ],
                None,
                name="serve_app",
            )
        ],
        tags="app",
    )
