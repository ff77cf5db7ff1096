"""Pairs => rows of the latent shards, and the round trip through the autoencoder."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.datasets.pair_shards import PairShards
from albedo_pipeline.datasets.shards import Row
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.masks import latent_mask
from albedo_pipeline.imaging.pixels import to_tensor
from albedo_pipeline.models.autoencoder import check_divisible, decode, encode, factor
from albedo_pipeline.models.device import autocast
from albedo_pipeline.progress import progress


@torch.no_grad()
def encoded(
    pairs: PairShards,
    manifest: pd.DataFrame,
    autoencoder: AutoencoderKL,
    batch_size: int,
    device: torch.device,
    precision: str,
) -> Iterator[Row]:
    """Every sample as it is and flipped, in the manifest's order.

    Raises:
        ProjectError: where manifest and pairs are of different runs, the images are not whole
            latent cells, or a latent is not finite.
    """
    pairs.check_manifest(manifest["sample_id"])
    check_divisible(autoencoder, pairs.shape("beauty"))
    autoencoder = autoencoder.to(device)
    batches = [
        manifest[start : start + batch_size] for start in range(0, len(manifest), batch_size)
    ]
    for batch in progress(batches, len(batches), "encode"):
        images = {name: pairs.batch(name, batch["row"]) for name in ("beauty", "albedo")}
        with autocast(device, precision):
            latents = {name: _versions(autoencoder, i, device) for name, i in images.items()}
        valid = torch.from_numpy(pairs.batch("valid", batch["row"]) == 1)
        masks = latent_mask(valid, factor(autoencoder))
        masks = torch.stack([masks, masks.flip(-1)], dim=1).to(torch.uint8).numpy()
        for place, sample in enumerate(batch.itertuples()):
            yield {
                "sample_id": sample.sample_id,
                "group": sample.group,
                "split": sample.split,
                "valid_cells": int(masks[place, 0].sum()),
                "beauty": latents["beauty"][place],
                "albedo": latents["albedo"][place],
                "valid": masks[place],
            }


def _versions(autoencoder: AutoencoderKL, stored: np.ndarray, device: torch.device) -> np.ndarray:
    images = to_tensor(stored).to(device)
    both = [encode(autoencoder, version) for version in (images, images.flip(-1))]
    latents = torch.stack(both, dim=1).half()  # [B, 2, C, h, w]
    if not latents.isfinite().all():
        raise ProjectError("encode.precision: a latent is not finite; fp32 may help")
    return latents.cpu().numpy()


@torch.no_grad()
def round_trip(
    autoencoder: AutoencoderKL, images: torch.Tensor, device: torch.device, precision: str
) -> torch.Tensor:
    """Images [B, 3, H, W] in [-1, 1] encoded and decoded again, on the CPU."""
    with autocast(device, precision):
        return decode(autoencoder, encode(autoencoder, images.to(device))).cpu()
