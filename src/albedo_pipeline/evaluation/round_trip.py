"""Errors of the autoencoder alone: images encoded and decoded again."""

import numpy as np
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.pixels import to_tensor
from albedo_pipeline.metrics.image.psnr import PSNR
from albedo_pipeline.models.autoencoder import check_divisible, factor, round_trip
from albedo_pipeline.params import AutoencoderParams
from albedo_pipeline.runtime.device import memory_named, open_device
from albedo_pipeline.shards.pair_shards import PairShards


def round_trip_report(
    autoencoder: AutoencoderKL, pairs: PairShards, rows: np.ndarray, params: AutoencoderParams
) -> dict:
    """Size of the model, and mean masked PSNR (dB, sRGB) of beauty and albedo over `rows`.

    Raises:
        ProjectError: if an image side is not a multiple of the autoencoder's factor, or an image
            that the autoencoder gives is not finite.
    """
    for shape in np.unique(pairs.shapes("beauty"), axis=0):
        check_divisible(autoencoder, tuple(shape))
    device = open_device(params.device, params.precision)
    autoencoder = autoencoder.to(device)  # type: ignore[arg-type]
    report = {
        "parameters": sum(p.numel() for p in autoencoder.parameters()),
        "latent_channels": autoencoder.config.latent_channels,
        "factor": factor(autoencoder),
        "validation_samples": len(rows),
    }
    batches = pairs.batches(rows, params.batch_size)
    for name in ("beauty", "albedo"):
        scores = [
            _psnr(autoencoder, pairs, name, batch, device, params.precision) for batch in batches
        ]
        report[f"validation_{name}_psnr"] = float(torch.cat(scores).mean()) if scores else None
    return report


def _psnr(
    autoencoder: AutoencoderKL,
    pairs: PairShards,
    name: str,
    rows: np.ndarray,
    device: torch.device,
    precision: str,
) -> torch.Tensor:
    images = to_tensor(pairs.batch(name, rows))
    valid = torch.from_numpy(pairs.batch("valid", rows) == 1)
    with memory_named("autoencoder.batch_size"):
        result = round_trip(autoencoder, images, device, precision)
    if not result.isfinite().all():
        raise ProjectError(
            f"autoencoder: gives images that are not finite (NaN) in {precision}; "
            + ("choose another one" if precision == "fp32" else "set autoencoder.precision to fp32")
        )
    return PSNR.function((result + 1) / 2, (images + 1) / 2, valid)
