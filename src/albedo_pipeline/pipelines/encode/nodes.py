"""Nodes of `encode`."""

from albedo_pipeline.hints import AutoencoderKL, DataFrame, LatentShards, PairShards, Work
from albedo_pipeline.params import EncodeParams


def encode_pairs(
    pairs: PairShards, manifest: DataFrame, autoencoder: AutoencoderKL, params: EncodeParams
) -> Work:
    """Scaled posterior means of beauty and albedo, as they are and flipped, and latent masks."""
    from albedo_pipeline.models.device import pick_device
    from albedo_pipeline.models.encoding import Encoding

    device = pick_device(params.device)
    return Encoding(pairs, manifest, autoencoder, params.batch_size, device, params.precision)


def describe_latents(latents: LatentShards) -> dict:
    """Statistics of the training split's latents."""
    from albedo_pipeline.models.statistics import latent_statistics

    return latent_statistics(latents)
