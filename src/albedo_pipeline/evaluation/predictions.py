"""Pairs => rows of the prediction shards, predicted on a CPU or a GPU."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from typing import NamedTuple

import numpy as np
import torch

from albedo_pipeline.errors import NotFiniteError, ProjectError
from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.pixels import quantize, to_tensor
from albedo_pipeline.inference.ensemble import ensemble_noise
from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.models.albedo_model import AlbedoModel, load_albedo_model
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.params.sampling import Ensemble
from albedo_pipeline.runtime.device import memory_named, open_device
from albedo_pipeline.runtime.parallel import one_thread_each, ordered_map, usable_cores
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shard_file import Row
from albedo_pipeline.shards.shards import PREDICTION_OF

_CPU_IMAGES = 4
"""Largest number of images that a core predicts at a time: more need memory and save little."""
_READERS = 2
"""Number of threads that read batches, with their noise, while a GPU predicts."""
_OWN = "prediction"


class EvaluatedSample(NamedTuple):
    """One sample whose prediction is wanted."""

    row: int
    """Number of its row in the pairs."""
    sample_id: str
    group: str
    split: str
    shape: tuple[int, ...]
    """Shape of its images, [3, H, W]."""


@dataclass(frozen=True)
class _Batch:
    samples: list[EvaluatedSample]
    beauty: torch.Tensor
    """float32 [B, 3, H, W], sRGB-encoded, in [-1, 1]."""
    albedo: torch.Tensor
    """As `beauty`."""
    noise: dict[str, torch.Tensor]
    """Noise by name of the predictions, for every estimator."""


class SplitPredictor:
    """Predicts samples so that the result depends on their chunk alone, not on who makes it.

    The bits of a convolution's result depend on the batch and on the number of threads. So batches
    are parts of a chunk, which is the same in every run of one cache key, and on a CPU each is
    predicted by one thread.
    """

    def __init__(
        self,
        pairs: PairShards,
        model: AlbedoModel,
        params: EvaluateParams,
        device: torch.device,
        lineage: str,
    ) -> None:
        """
        Args:
            pairs: the images.
            model: the project's own model.
            params: settings; the models to compare with are loaded here.
            device: where the networks run; they are moved there when the prediction starts.
            lineage: digest of the lineage, which every row repeats.

        Raises:
            ProjectError: if a model to compare with cannot be loaded, or the settings do not fit a
                model.
        """
        self._pairs, self._params, self._device, self._lineage = pairs, params, device, lineage
        self._models = {_OWN: model} | {
            PREDICTION_OF + name: other_model(name) for name in params.compare_with
        }
        own = self._estimator(_OWN, torch.device("cpu"))
        most = _CPU_IMAGES if device.type == "cpu" else own.images_per_batch
        self.images_per_batch = min(most, own.images_per_batch)

    def rows(self, chunks: Iterable[Sequence[EvaluatedSample]]) -> Iterator[list[Row]]:
        """Predict samples, one row each, reading ahead; a batch does not cross a chunk's end.

        A row has the prediction, the autoencoder's round trip of the true albedo, with an ensemble
        the uncertainty, and the predictions of the models to compare with.

        Raises:
            ProjectError: if an image that a model gives is not finite, or the memory is too small.
        """
        device = open_device(self._device.type, self._params.precision)  # in this process
        estimators = {name: self._estimator(name, device) for name in self._models}
        batches = (batch for chunk in chunks for batch in self._batches(chunk))
        read = partial(self._read, estimators)
        if device.type == "cpu":
            workers = 1 if self._params.compile else usable_cores()
            with one_thread_each():
                for rows in ordered_map(
                    lambda b: self._rows(read(b), estimators), batches, workers
                ):
                    yield from rows
            return
        for batch in ordered_map(read, batches, _READERS):
            yield from self._rows(batch, estimators)

    def _estimator(self, name: str, device: torch.device) -> Estimator:
        model, params = self._models[name], self._params
        if name != _OWN:
            once = params.ensemble.kind == "noise" and model.denoiser.ignores_noise
            ensemble = Ensemble() if once else params.ensemble
            # `steps` None is not valid for `evaluate`, but it is for the sampling: the model's own.
            params = params.model_copy(update={"steps": None, "ensemble": ensemble})
        return Estimator.owning(model, device, params, params.precision, compiled=params.compile)

    def _batches(self, chunk: Sequence[EvaluatedSample]) -> Iterator[list[EvaluatedSample]]:
        for _, alike in groupby(chunk, key=lambda sample: sample.shape):
            while batch := list(islice(alike, self.images_per_batch)):
                yield batch

    def _read(self, estimators: dict[str, Estimator], samples: list[EvaluatedSample]) -> _Batch:
        rows = [sample.row for sample in samples]
        beauty, albedo = (to_tensor(self._pairs.batch(name, rows)) for name in ("beauty", "albedo"))
        noise = {
            name: ensemble_noise(
                self._params.seed,
                [sample.sample_id for sample in samples],
                estimator.sampling.ensemble.members,
                estimator.latent_shape(*beauty.shape[-2:]),
            )
            for name, estimator in estimators.items()
        }
        return _Batch(samples, beauty, albedo, noise)

    def _rows(self, batch: _Batch, estimators: dict[str, Estimator]) -> list[list[Row]]:
        results = _predicted(batch, estimators)
        stored = {name: quantize(images) for name, images in results.items()}
        return [
            [
                {
                    "sample_id": sample.sample_id,
                    "group": sample.group,
                    "split": sample.split,
                    "lineage": self._lineage,
                }
                | {name: images[place] for name, images in stored.items()}
            ]
            for place, sample in enumerate(batch.samples)
        ]


def other_model(name: str) -> AlbedoModel:
    """One of the models of `evaluate.compare_with`."""
    return load_albedo_model(PretrainedModel(model=name))


def _predicted(batch: _Batch, estimators: dict[str, Estimator]) -> dict[str, np.ndarray]:
    """sRGB-encoded images [B, C, H, W] in [0, 1], by name of the column."""
    own, predicted = estimators[_OWN], {}
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
    uncertainty = predicted[_OWN].uncertainty
    if uncertainty is not None:
        results["uncertainty"] = uncertainty.mean(dim=1, keepdim=True).cpu().numpy()
    return results


@contextmanager
def _named(what: str, batch: _Batch) -> Iterator[None]:
    """Adds to an error what was being made, and of which samples."""
    try:
        with memory_named("evaluate.batch_size"):
            yield
    except NotFiniteError as error:
        ids = [sample.sample_id for sample in batch.samples]
        samples = ids[0] if len(ids) == 1 else f"{ids[0]} to {ids[-1]}"
        raise ProjectError(f"evaluate: {what}, {samples}: {error}") from error
