"""`autoencoder`: a bundled, pretrained or newly trained autoencoder, and the scores of its round
trip."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.autoencoder.nodes import check_autoencoder, make_autoencoder


def create_pipeline() -> Pipeline:
    """Two nodes: one makes the autoencoder, one measures its round trip."""
    return Pipeline(
        [
            node(
                make_autoencoder,
                [
                    "pairs",
                    "manifest",
                    "params:autoencoder",
                    "autoencoder_checkpoints",
                    "autoencoder_tensorboard",
                    "encoded_latents",
                ],
                "autoencoder",
                name="make_autoencoder",
            ),
            node(
                check_autoencoder,
                [
                    "autoencoder",
                    "pairs",
                    "manifest",
                    "params:autoencoder",
                    "autoencoder_checkpoints",
                ],
                "autoencoder_report",
                name="check_autoencoder",
            ),
        ],
        tags="autoencoder",
    )
