"""Validation of the autoencoder: round trips of beauty and albedo, scored and shown."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.errors import NotFiniteError
from albedo_pipeline.imaging.colormap import ERROR_LIMIT, absolute_error, error_picture
from albedo_pipeline.imaging.pixels import to_tensor
from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.image.lpips import LPIPS, Weights
from albedo_pipeline.metrics.image.psnr import PSNR
from albedo_pipeline.metrics.image.ssim import SSIM
from albedo_pipeline.models.autoencoder import round_trip
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.training.picture_grid import picture_grid, pictures
from albedo_pipeline.training.validation_scores import Scores

KINDS = ("beauty", "albedo")
METRICS = (PSNR, SSIM)
"""Metrics that every validation measures."""


def metrics_with(lpips: Weights | None) -> tuple[Metric, ...]:
    """What a validation measures: LPIPS, too, if its weights are given, on the CPU."""
    if lpips is None:
        return METRICS
    return (*METRICS, LPIPS.bound_to(lpips))


def higher_is_better(score: str) -> bool:
    """Whether a higher score is better; `score` is a name such as `albedo_psnr`."""
    name = score.partition("_")[2]
    return next(m.higher_is_better for m in (*METRICS, LPIPS) if m.name == name)


def round_trip_scores(
    autoencoder: AutoencoderKL,
    pairs: PairShards,
    rows: np.ndarray,
    device: torch.device,
    precision: str,
    metrics: Sequence[Metric] = METRICS,
) -> list[Scores]:
    """Masked scores of each sample's beauty and albedo, by names such as `albedo_psnr`.

    Raises:
        NotFiniteError: if an image that the autoencoder gives is not finite.
    """
    ids = [pairs.column("sample_id")[int(row)].as_py() for row in rows]
    scores: list[Scores] = [{"sample_id": sample_id} for sample_id in ids]
    valid = torch.from_numpy(pairs.batch("valid", rows) == 1)
    for kind in KINDS:
        images = to_tensor(pairs.batch(kind, rows))
        result = round_trip(autoencoder, images, device, precision)
        if not result.isfinite().all():
            raise NotFiniteError(f"the round trip of {ids[0]} or a sample beside it is not finite")
        for metric in metrics:
            values = metric.function((result + 1) / 2, (images + 1) / 2, valid)
            for row, value in zip(scores, values, strict=True):
                row[f"{kind}_{metric.name}"] = float(value)
    return scores


def round_trip_strips(
    autoencoder: AutoencoderKL,
    pairs: PairShards,
    samples: pd.DataFrame,
    device: torch.device,
    precision: str,
) -> np.ndarray:
    """One row for each sample: beauty, round trip, error, and the same of the albedo.

    The error is a mean over the channels, in the colours of the report; masked pixels, which no
    score counts, are hatched. All samples have one shape, the most frequent one among those given.

    Returns:
        uint8 [H, W, 3], sRGB-encoded.
    """
    rows = max(pairs.batches(samples["row"], len(samples)), key=len)
    masks = pairs.batch("valid", rows)[:, 0] == 1
    heading = f"error, 0 to {ERROR_LIMIT:g}"
    strips = []
    for kind in KINDS:
        images = to_tensor(pairs.batch(kind, rows))
        decoded = pictures((round_trip(autoencoder, images, device, precision) + 1) / 2)
        shown = pictures((images + 1) / 2)
        errors = [
            error_picture(absolute_error(one, two), mask)
            for one, two, mask in zip(decoded, shown, masks, strict=True)
        ]
        columns = {kind: shown, "round trip": decoded, heading: errors}
        strips.append(picture_grid(columns, [heading]))
    return np.concatenate(strips, axis=1)
