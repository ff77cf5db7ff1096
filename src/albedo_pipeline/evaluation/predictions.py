"""Predictions of complete splits, as rows of the prediction shards."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.pixels import quantize, to_tensor
from albedo_pipeline.inference.ensemble import ensemble_noise
from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.models.albedo_model import AlbedoModel
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.runtime.device import pick_device
from albedo_pipeline.runtime.parallel import ordered_map
from albedo_pipeline.runtime.progress import progress
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shard_file import Row

_READERS = 2
"""Batches that are read ahead, with their noise, while another one is predicted."""


@dataclass(frozen=True)
class _Batch:
    samples: pd.DataFrame
    beauty: torch.Tensor
    albedo: torch.Tensor
    noise: torch.Tensor


def predictions(
    pairs: PairShards,
    manifest: pd.DataFrame,
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    params: EvaluateParams,
) -> Iterator[Row]:
    """Prediction and autoencoder round trip of every sample of the configured splits.

    With an ensemble, also the uncertainty.

    Raises:
        ProjectError: if the splits have no sample, or manifest and pairs are from different runs.
    """
    pairs.check_manifest(manifest)
    samples = manifest[manifest["split"].isin(params.splits)]
    if samples.empty:
        raise ProjectError(f"evaluate.splits: no sample is in {', '.join(params.splits)}")
    estimator = Estimator.owning(
        AlbedoModel(denoiser, autoencoder),
        pick_device(params.device),
        params,
        params.precision,
        compiled=params.compile,
    )

    def read(rows: np.ndarray) -> _Batch:
        chosen = samples.set_index("row", drop=False).loc[rows]
        beauty, albedo = (to_tensor(pairs.batch(name, rows)) for name in ("beauty", "albedo"))
        shape = estimator.latent_shape(*beauty.shape[-2:])
        members = params.ensemble.members
        noise = ensemble_noise(params.seed, chosen["sample_id"].tolist(), members, shape)
        return _Batch(chosen, beauty, albedo, noise)

    batches = pairs.batches(samples["row"], estimator.images_per_batch)
    for batch in progress(ordered_map(read, batches, _READERS), len(batches), "evaluate"):
        yield from _rows(batch, estimator)


def _rows(batch: _Batch, estimator: Estimator) -> Iterator[Row]:
    predicted = estimator.predict(batch.beauty, batch.noise)
    round_trip = estimator.decode(estimator.encode(batch.albedo))
    results = {"prediction": predicted.albedo, "roundtrip": round_trip}
    if predicted.uncertainty is not None:
        results["uncertainty"] = predicted.uncertainty.mean(dim=1, keepdim=True)
    stored = {name: quantize(images.cpu().numpy()) for name, images in results.items()}
    for index, sample in enumerate(batch.samples.itertuples()):
        identity = {"sample_id": sample.sample_id, "group": sample.group, "split": sample.split}
        yield identity | {name: images[index] for name, images in stored.items()}
