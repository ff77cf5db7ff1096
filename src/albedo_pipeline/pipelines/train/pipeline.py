"""`train`: latents => denoiser, its autoencoder, training log and settings."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.train.nodes import train


def create_pipeline() -> Pipeline:
    """One node, which trains the denoiser."""
    return Pipeline(
        [
            node(
                train,
                [
                    "latents",
                    "more_latents",
                    "pairs",
                    "manifest",
                    "more_pairs",
                    "autoencoder",
                    "params:train",
                    "checkpoints",
                    "tensorboard",
                ],
                ["denoiser", "albedo_autoencoder", "training_log", "train_settings"],
                name="train_denoiser",
            )
        ],
        tags="train",
    )
