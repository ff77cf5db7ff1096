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
    """Scaled posterior means of beauty and albedo, as they are and flipped, and latent masks."""
    from albedo_pipeline.preprocessing.encode import LatentBuild
    from albedo_pipeline.runtime.device import pick_device

    device = pick_device(params.device)
    return LatentBuild(pairs, manifest, autoencoder, params.batch_size, device, params.precision)


def describe_latents(latents: LatentShards) -> dict:
    """Statistics of the training split's latents."""
    from albedo_pipeline.preprocessing.latent_statistics import latent_statistics

    return latent_statistics(latents)
