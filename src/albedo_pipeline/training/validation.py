"""Validation: DDIM predictions of some samples, scored in image space."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from diffusers import AutoencoderKL

from albedo_pipeline.datasets.pair_shards import PairShards
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.pixels import to_tensor
from albedo_pipeline.inference.predict import predict_albedo
from albedo_pipeline.metrics.psnr import PSNR
from albedo_pipeline.metrics.ssim import SSIM
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params.optimisation import Validation

METRICS = (PSNR, SSIM)
"""Measured at every validation."""


@dataclass(frozen=True)
class ImageData:
    """What a prediction is made of and compared with."""

    pairs: PairShards
    manifest: pd.DataFrame
    """sample_id, split and row of every sample."""
    autoencoder: AutoencoderKL


@dataclass(frozen=True)
class Prediction:
    """A batch of predictions; images float32 [B, 3, H, W], sRGB-encoded, in [0, 1]."""

    sample_ids: list[str]
    beauty: torch.Tensor
    predicted: torch.Tensor
    truth: torch.Tensor
    valid: torch.Tensor
    """bool [B, 1, H, W]."""


def chosen_samples(manifest: pd.DataFrame, split: str, count: int) -> pd.DataFrame:
    """At most `count` samples, spread evenly over the split.

    Raises:
        ProjectError: where the split is empty.
    """
    samples = manifest[manifest["split"] == split]
    if samples.empty:
        raise ProjectError(
            f"train.validation.split: no sample is in {split!r}; validation.every: null does "
            "without"
        )
    places = np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(int)
    return samples.iloc[places]


@torch.no_grad()
def predict(
    denoiser: Denoiser, data: ImageData, samples: pd.DataFrame, params: Validation, precision: str
) -> Prediction:
    """Predictions of one batch of the manifest's rows, on the denoiser's device."""
    device = next(denoiser.unet.parameters()).device
    beauty = to_tensor(data.pairs.batch("beauty", samples["row"])).to(device)
    ids = samples["sample_id"].tolist()
    predicted = predict_albedo(
        denoiser,
        data.autoencoder,
        beauty,
        ids,
        seed=params.seed,
        steps=params.steps,
        ensemble=params.ensemble,
        precision=precision,
    )
    truth = to_tensor(data.pairs.batch("albedo", samples["row"])).to(device)
    valid = torch.from_numpy(data.pairs.batch("valid", samples["row"]) == 1).to(device)
    beauty, predicted, truth = (
        ((image.float() + 1) / 2).clamp(0, 1) for image in (beauty, predicted, truth)
    )
    return Prediction(ids, beauty, predicted, truth, valid)


def validate(
    denoiser: Denoiser,
    data: ImageData,
    params: Validation,
    precision: str,
    accelerator: Accelerator,
    stop: Callable[[], bool],
) -> dict[str, float] | None:
    """Mean of every metric over the chosen samples; None where it was stopped.

    Batches are dealt to the processes, each of the same samples whatever their number.
    """
    samples = chosen_samples(data.manifest, params.split, params.samples)
    scores: list[dict[str, str | float]] = []
    for batch in _dealt(data.pairs.batches(samples["row"], params.batch_size), accelerator):
        if stop():
            return None
        if len(batch):
            rows = samples.set_index("row", drop=False).loc[batch]
            scores += _scores(predict(denoiser, data, rows, params, precision))
    table = pd.DataFrame(gather_object(scores)).set_index("sample_id").sort_index()
    return {metric.name: float(table[metric.name].mean()) for metric in METRICS}


def _dealt(batches: list[np.ndarray], accelerator: Accelerator) -> Iterator[np.ndarray]:
    """This process's batches; every process gets the same number, the last may be empty."""
    processes = accelerator.num_processes
    for start in range(0, len(batches), processes):
        mine = start + accelerator.process_index
        yield batches[mine] if mine < len(batches) else np.array([], dtype=np.int64)


def _scores(prediction: Prediction) -> list[dict[str, str | float]]:
    values = {
        metric.name: metric.function(prediction.predicted, prediction.truth, prediction.valid)
        for metric in METRICS
    }
    return [
        {"sample_id": sample_id, **{name: float(value[i]) for name, value in values.items()}}
        for i, sample_id in enumerate(prediction.sample_ids)
    ]
