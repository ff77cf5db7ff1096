"""Validation: predictions of some samples, scored and shown in image space."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from diffusers import AutoencoderKL

from albedo_pipeline.artifacts.pair_sets import PairSet, named_sets
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.evaluation.views import views
from albedo_pipeline.imaging.colormap import ERROR_LIMIT, absolute_error, error_picture, hatched
from albedo_pipeline.imaging.pixels import to_tensor
from albedo_pipeline.inference.ensemble import ensemble_noise
from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.image.psnr import PSNR
from albedo_pipeline.metrics.image.ssim import SSIM
from albedo_pipeline.models.albedo_model import AlbedoModel
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params import TrainParams
from albedo_pipeline.params.optimisation import Validation
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.training.denoiser_components import TrainingComponents
from albedo_pipeline.training.optimisation import train_mode
from albedo_pipeline.training.picture_grid import picture_grid, pictures
from albedo_pipeline.training.validation_metric import validation_metric
from albedo_pipeline.training.validation_scores import (
    Scores,
    chosen_samples,
    ema_and_raw,
    mean_scores,
)

METRICS = (PSNR, SSIM)
"""Metrics that every validation measures, besides the one of `train.validation.metric`."""


@dataclass(frozen=True)
class ImageData:
    """What predictions are made from and compared with."""

    pairs: PairShards
    """Images of all samples."""
    manifest: pd.DataFrame
    """sample_id, split and row of every sample."""
    autoencoder: AutoencoderKL
    """Encodes the beauty and decodes the prediction; its decoder may be trained along."""
    more: Mapping[str, PairSet] = field(default_factory=dict)
    """Further sets by name, which `train.validation.sets` may name."""

    def of_sets(self, names: Iterable[str]) -> dict[str, Self]:
        """The same of each set, by name, in the order of the names.

        Raises:
            ProjectError: if there is no set of a name.
        """
        own = PairSet(self.pairs, self.manifest)
        sets = named_sets(names, own, self.more, "train.validation.sets")
        return {
            name: replace(self, pairs=one.pairs, manifest=one.manifest)
            for name, one in sets.items()
        }

    def main_set(self, names: tuple[str, ...]) -> Self:
        """The same of the first of the sets, which decides what is best."""
        return self.of_sets(names[:1])[names[0]]


@dataclass(frozen=True)
class Prediction:
    """A batch of predictions; images are float32 [B, 3, H, W], sRGB-encoded, in [0, 1]."""

    sample_ids: list[str]
    beauty: torch.Tensor
    predicted: torch.Tensor
    truth: torch.Tensor
    valid: torch.Tensor
    """Valid mask, bool [B, 1, H, W]."""
    uncertainty: torch.Tensor | None = None
    """Disagreement of the ensemble, float32 [B, 3, H, W]; None for one member."""


@torch.no_grad()
def predict(
    denoiser: Denoiser, data: ImageData, samples: pd.DataFrame, params: Validation, precision: str
) -> Prediction:
    """Predict one batch of rows of the manifest, on the denoiser's device."""
    device = next(denoiser.unet.parameters()).device
    beauty = to_tensor(data.pairs.batch("beauty", samples["row"])).to(device)
    ids = samples["sample_id"].tolist()
    estimator = Estimator.borrowing(AlbedoModel(denoiser, data.autoencoder), params, precision)
    shape = estimator.latent_shape(*beauty.shape[-2:])
    noise = ensemble_noise(params.seed, ids, params.ensemble.members, shape)
    predicted, uncertainty = estimator.predict(beauty, noise)
    truth = to_tensor(data.pairs.batch("albedo", samples["row"])).to(device)
    valid = torch.from_numpy(data.pairs.batch("valid", samples["row"]) == 1).to(device)
    beauty, truth = (((image.float() + 1) / 2).clamp(0, 1) for image in (beauty, truth))
    return Prediction(ids, beauty, predicted, truth, valid, uncertainty)


def validate(
    denoiser: Denoiser,
    data: ImageData,
    params: Validation,
    precision: str,
    accelerator: Accelerator,
    stop: Callable[[], bool],
) -> dict[str, float] | None:
    """Mean of every metric over the chosen samples of each set; None if `stop` asked to stop.

    The scores of the first set have the names of the metrics; those of another one begin with its
    name, such as `interiors/psnr`. The batches are divided among the processes. A batch holds the
    same samples for any number of processes, so the scores do not depend on it.

    Raises:
        NotFiniteError: in all processes, if a prediction is not finite.
        ProjectError: if no sample of the first set has a score in the metric.
    """
    metric = validation_metric(params)
    scores: dict[str, float] = {}
    for name, one in data.of_sets(params.sets).items():
        means = _validate_set(name, denoiser, one, params, metric, precision, accelerator, stop)
        if means is None:
            return None
        prefix = f"{name}/" if scores else ""
        scores |= {prefix + measure: value for measure, value in means.items()}
    if math.isnan(scores[metric.name]):
        raise ProjectError(
            f"train.validation.metric: {metric.name} has no value for any of the samples, so no "
            "checkpoint can be the best; choose another metric or more validation.samples"
        )
    return scores


def _validate_set(
    name: str,
    denoiser: Denoiser,
    data: ImageData,
    params: Validation,
    metric: Metric,
    precision: str,
    accelerator: Accelerator,
    stop: Callable[[], bool],
) -> dict[str, float] | None:
    samples = chosen_samples(data.manifest, params.split, params.samples, name=name)
    by_row = samples.set_index("row", drop=False)

    def score(batch: np.ndarray) -> list[Scores]:
        return _scores(predict(denoiser, data, by_row.loc[batch], params, precision), metric)

    batches = data.pairs.batches(samples["row"], params.batch_size)
    return mean_scores(batches, score, accelerator, stop)


def _scores(prediction: Prediction, chosen: Metric) -> list[Scores]:
    predicted, truth, valid = prediction.predicted, prediction.truth, prediction.valid
    values = {metric.name: metric.function(predicted, truth, valid) for metric in METRICS}
    if chosen not in METRICS:  # in its own colour space, on the CPU, as `evaluate` measures it
        predicted, truth = (
            views(images.cpu().numpy())[chosen.colour_space] for images in (predicted, truth)
        )
        values[chosen.name] = chosen.function(predicted, truth, valid.cpu())
    return [
        {"sample_id": sample_id, **{name: float(value[i]) for name, value in values.items()}}
        for i, sample_id in enumerate(prediction.sample_ids)
    ]


@contextmanager
def _eval_mode(components: TrainingComponents) -> Iterator[Denoiser]:
    unet = components.denoiser.unet.eval()
    try:
        yield components.denoiser
    finally:
        train_mode(unet)


def validate_ema_and_raw(
    components: TrainingComponents, images: ImageData, params: TrainParams, stop: Callable[[], bool]
) -> dict[str, float] | None:
    """Mean scores of the averaged weights and, as `<metric>_raw`, of the raw weights.

    All processes must call this together. None if `stop` asked to stop.
    """
    validation, precision = params.validation, params.precision

    def scores() -> dict[str, float] | None:
        with _eval_mode(components) as denoiser:
            return validate(denoiser, images, validation, precision, components.accelerator, stop)

    return ema_and_raw(components.ema, scores)


def samples_grid(
    components: TrainingComponents, images: ImageData, params: TrainParams
) -> np.ndarray:
    """Grid of validation samples, predicted by the averaged weights; uint8 [H, W, 3].

    All samples have one shape, the most frequent one among those chosen.
    """
    split, count = params.validation.split, params.visualisation.samples
    images = images.main_set(params.validation.sets)
    chosen = chosen_samples(images.manifest, split, count)
    of_one_shape = max(images.pairs.batches(chosen["row"], count), key=len)
    chosen = chosen.set_index("row", drop=False).loc[of_one_shape]
    with components.ema.in_place(), _eval_mode(components) as denoiser:
        return grid(predict(denoiser, images, chosen, params.validation, params.precision))


def grid(prediction: Prediction) -> np.ndarray:
    """One row for each sample: beauty, prediction, truth, error, and uncertainty if there is one.

    Error and uncertainty are means over the channels, in the colours of the report. Masked pixels
    of truth, error and uncertainty are hatched.

    Returns:
        uint8 [H, W, 3], sRGB-encoded.
    """
    beauty, predicted, truth = (
        pictures(images) for images in (prediction.beauty, prediction.predicted, prediction.truth)
    )
    masks = prediction.valid[:, 0].cpu().numpy()
    maps = {"error": [absolute_error(*pair) for pair in zip(predicted, truth, strict=True)]}
    if prediction.uncertainty is not None:
        maps["uncertainty"] = [*prediction.uncertainty.mean(dim=1).cpu().numpy()]
    coloured = {
        f"{name}, 0 to {ERROR_LIMIT:g}": [
            error_picture(values, mask) for values, mask in zip(shown, masks, strict=True)
        ]
        for name, shown in maps.items()
    }
    hatched_truth = [hatched(image, mask) for image, mask in zip(truth, masks, strict=True)]
    columns = {"beauty": beauty, "prediction": predicted, "truth": hatched_truth}
    return picture_grid(columns | coloured, coloured)
