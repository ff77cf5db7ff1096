"""`train`: latents => denoiser and training log."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.train.nodes import train


def create_pipeline() -> Pipeline:
    """One node."""
    return Pipeline(
        [
            node(
                train,
                ["latents", "params:train", "tensorboard"],
                ["denoiser", "training_log"],
                name="train_denoiser",
            )
        ],
        tags="train",
    )
