"""Random inputs of the benchmarks: models of Stable Diffusion 2.1's shape, and latents on disk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from row_build import save_rows

from albedo_pipeline.shards.datasets import LatentShardsDataset
from albedo_pipeline.shards.latent_shards import LatentShards

Width = Literal["quarter", "full"]
TEXT_WIDTH = 1024
LATENT_CHANNELS = 4
FACTOR = 8
"""Pixels of an image per cell of its latent, along one side."""


def new_unet(width: Width, side: int) -> UNet2DConditionModel:
    """The UNet for latents of `side` cells, with `conv_in` widened; always the same weights.

    Args:
        width: `quarter` divides all channels by 4.
    """
    torch.manual_seed(0)
    down, up = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
    return UNet2DConditionModel(
        sample_size=side,
        in_channels=2 * LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=(down, down, down, "DownBlock2D"),
        up_block_types=("UpBlock2D", up, up, up),
        block_out_channels=_divided((320, 640, 1280, 1280), width),
        layers_per_block=2,
        # diffusers' old name for the number of heads; each is about 64 channels wide
        attention_head_dim=(5, 10, 20, 20) if width == "full" else (1, 2, 5, 5),
        cross_attention_dim=TEXT_WIDTH,
        use_linear_projection=True,
        norm_num_groups=32 if width == "full" else 16,
    )


def new_autoencoder(width: Width, resolution: int) -> AutoencoderKL:
    """The autoencoder, frozen; always the same weights."""
    torch.manual_seed(1)
    autoencoder = AutoencoderKL(
        block_out_channels=_divided((128, 256, 512, 512), width),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=32,
        sample_size=resolution,
    )
    return autoencoder.eval().requires_grad_(False)


def _divided(channels: tuple[int, ...], width: Width) -> tuple[int, ...]:
    return channels if width == "full" else tuple(count // 4 for count in channels)


def random_latents(folder: Path, samples: int, side: int) -> LatentShards:
    """Write shards of random training latents to `folder`, as `encode` does, and open them."""
    dataset = LatentShardsDataset(filepath=str(folder))
    save_rows(dataset, _rows(samples, side), samples)
    return dataset.load()


def _rows(samples: int, side: int) -> Iterator[dict]:
    random = np.random.default_rng(0)
    for number in range(samples):
        beauty, albedo = random.standard_normal((2, LATENT_CHANNELS, side, side), np.float32)
        valid = random.random((1, side, side)) < 0.9
        yield {
            "sample_id": f"s{number}",
            "group": f"g{number}",
            "split": "train",
            "valid_cells": int(valid.sum()),
            "beauty": _both_versions(beauty.astype(np.float16)),
            "albedo": _both_versions(albedo.astype(np.float16)),
            "valid": _both_versions(valid.astype(np.uint8)),
        }


def _both_versions(array: np.ndarray) -> np.ndarray:
    return np.stack([array, array[..., ::-1]])
