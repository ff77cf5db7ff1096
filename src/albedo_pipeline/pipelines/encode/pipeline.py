"""`encode`: pairs and autoencoder => latent shards and their statistics."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.encode.nodes import describe_latents, encode_pairs


def create_pipeline() -> Pipeline:
    """Two nodes: one makes the latents, one their statistics."""
    return Pipeline(
        [
            node(
                encode_pairs,
                ["pairs", "manifest", "autoencoder", "params:encode"],
                "latents",
                name="encode_pairs",
            ),
            node(describe_latents, "latents", "latent_statistics", name="describe_latents"),
        ],
        tags="encode",
    )
