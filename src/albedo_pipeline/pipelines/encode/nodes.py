"""Nodes of `encode`."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from albedo_pipeline.datasets.latent_shards import LatentShards
from albedo_pipeline.datasets.pair_shards import PairShards
from albedo_pipeline.datasets.shards import Row
from albedo_pipeline.params import EncodeParams


def encode_pairs(
    pairs: PairShards, manifest: pd.DataFrame, autoencoder: Any, params: EncodeParams
) -> Iterator[Row]:
    """Scaled posterior means of beauty and albedo, as they are and flipped, and latent masks."""
    from albedo_pipeline.models.device import pick_device
    from albedo_pipeline.models.encoding import encoded

    device = pick_device(params.device)
    return encoded(pairs, manifest, autoencoder, params.batch_size, device, params.precision)


def describe_latents(latents: LatentShards) -> dict:
    """Statistics of the training split's latents."""
    from albedo_pipeline.models.statistics import latent_statistics

    return latent_statistics(latents)
