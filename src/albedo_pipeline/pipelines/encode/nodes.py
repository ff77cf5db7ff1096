"""Nodes of `encode`."""

from albedo_pipeline.node_types import (
    AutoencoderKL,
    DataFrame,
    LatentShards,
    PairShards,
    ShardBuild,
)
from albedo_pipeline.params import EncodeParams


def encode_pairs(
    pairs: PairShards, manifest: DataFrame, autoencoder: AutoencoderKL, params: EncodeParams
) -> ShardBuild:
    """The build of the latent shards: latents and mask of every pair, as it is and flipped."""
    from albedo_pipeline.preprocessing.encode import LatentBuild
    from albedo_pipeline.runtime.device import device_for

    device = device_for(params.device, params.precision, params.compute.worker_gpus)
    return LatentBuild(
        pairs,
        manifest,
        autoencoder,
        params.batch_size,
        device,
        params.precision,
        params.compute,
    )


def describe_latents(latents: LatentShards) -> dict:
    """Statistics of the latents of the training split."""
    from albedo_pipeline.preprocessing.latent_statistics import latent_statistics

    return latent_statistics(latents)
