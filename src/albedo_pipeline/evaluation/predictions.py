"""Predictions of complete splits, as rows of the prediction shards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.errors import NotFiniteError, ProjectError
from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.pixels import quantize, to_tensor
from albedo_pipeline.inference.ensemble import ensemble_noise
from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.models.albedo_model import AlbedoModel, load_albedo_model
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.params.sampling import Ensemble
from albedo_pipeline.runtime.device import memory_named, open_device
from albedo_pipeline.runtime.parallel import ordered_map
from albedo_pipeline.runtime.progress import progress
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shard_file import Row
from albedo_pipeline.shards.shards import PREDICTION_OF

_READERS = 2
"""Batches that are read ahead, with their noise, while another one is predicted."""


@dataclass(frozen=True)
class _Batch:
    samples: pd.DataFrame
    beauty: torch.Tensor
    albedo: torch.Tensor
    noise: dict[str, torch.Tensor]
    """Noise by name of the predictions, for every estimator."""


def predictions(
    pairs: PairShards,
    manifest: pd.DataFrame,
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    params: EvaluateParams,
) -> Iterator[Row]:
    """Prediction and autoencoder round trip of every sample of the configured splits.

    With an ensemble, also the uncertainty. And the predictions of the models to compare with.

    Raises:
        ProjectError: if the splits have no sample, manifest and pairs are from different runs, a
            model to compare with cannot be loaded, or an image that a model gives is not finite.
    """
    pairs.check_manifest(manifest)
    samples = manifest[manifest["split"].isin(params.splits)]
    if samples.empty:
        raise ProjectError(f"evaluate.splits: no sample is in {', '.join(params.splits)}")
    own = _estimator(AlbedoModel(denoiser, autoencoder), params)
    others = {PREDICTION_OF + name: _other_estimator(name, params) for name in params.compare_with}
    estimators = {"prediction": own} | others

    def read(rows: np.ndarray) -> _Batch:
        chosen = samples.set_index("row", drop=False).loc[rows]
        beauty, albedo = (to_tensor(pairs.batch(name, rows)) for name in ("beauty", "albedo"))
        noise = {
            name: ensemble_noise(
                params.seed,
                chosen["sample_id"].tolist(),
                estimator.sampling.ensemble.members,
                estimator.latent_shape(*beauty.shape[-2:]),
            )
            for name, estimator in estimators.items()
        }
        return _Batch(chosen, beauty, albedo, noise)

    batches = pairs.batches(samples["row"], own.images_per_batch)
    for batch in progress(ordered_map(read, batches, _READERS), len(batches), "evaluate"):
        yield from _rows(batch, estimators)


def other_model(name: str) -> AlbedoModel:
    """One of the models of `evaluate.compare_with`."""
    return load_albedo_model(PretrainedModel(model=name))


def _other_estimator(name: str, params: EvaluateParams) -> Estimator:
    model = other_model(name)
    once = params.ensemble.kind == "noise" and model.denoiser.ignores_noise
    ensemble = Ensemble() if once else params.ensemble
    # `steps` None is not valid for `evaluate`, but it is for the sampling: the model's own number.
    return _estimator(model, params.model_copy(update={"steps": None, "ensemble": ensemble}))


def _estimator(model: AlbedoModel, params: EvaluateParams) -> Estimator:
    return Estimator.owning(
        model,
        open_device(params.device, params.precision),
        params,
        params.precision,
        compiled=params.compile,
    )


def _rows(batch: _Batch, estimators: dict[str, Estimator]) -> Iterator[Row]:
    own = estimators["prediction"]
    predicted = {}
    for name, estimator in estimators.items():
        with _named(name, batch):
            predicted[name] = estimator.predict(batch.beauty, batch.noise[name])
    results = {
        name: encode_srgb(estimate.albedo.cpu().numpy())
        if estimators[name].model.space == "linear"
        else estimate.albedo.cpu().numpy()
        for name, estimate in predicted.items()
    }
    with _named("round trip", batch):
        results["roundtrip"] = own.decode(own.encode(batch.albedo)).cpu().numpy()
    uncertainty = predicted["prediction"].uncertainty
    if uncertainty is not None:
        results["uncertainty"] = uncertainty.mean(dim=1, keepdim=True).cpu().numpy()
    stored = {name: quantize(images) for name, images in results.items()}
    for index, sample in enumerate(batch.samples.itertuples()):
        identity = {"sample_id": sample.sample_id, "group": sample.group, "split": sample.split}
        yield identity | {name: images[index] for name, images in stored.items()}


@contextmanager
def _named(what: str, batch: _Batch) -> Iterator[None]:
    """Adds to an error what was being made, and of which samples."""
    try:
        with memory_named("evaluate.batch_size"):
            yield
    except NotFiniteError as error:
        ids = batch.samples["sample_id"].tolist()
        samples = ids[0] if len(ids) == 1 else f"{ids[0]} to {ids[-1]}"
        raise ProjectError(f"evaluate: {what}, {samples}: {error}") from error
