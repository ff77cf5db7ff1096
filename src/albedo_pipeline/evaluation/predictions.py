"""Predictions of complete splits, as rows of the prediction shards."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import pandas as pd

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.evaluation.estimators.base import AlbedoEstimator, Batch
from albedo_pipeline.evaluation.estimators.network import NetworkEstimator
from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.inference.estimator import NotFiniteError
from albedo_pipeline.runtime.device import memory_named
from albedo_pipeline.runtime.parallel import ordered_map
from albedo_pipeline.runtime.progress import progress
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shard_file import Row
from albedo_pipeline.shards.shards import PREDICTION_OF

_READERS = 2
"""Batches that are read ahead while another one is predicted."""
OWN = "prediction"
"""Tensor column of the predictions of the project's own model."""


def samples_of(
    pairs: PairShards, manifest: pd.DataFrame, splits: tuple[str, ...], pipeline: str
) -> pd.DataFrame:
    """Rows of the manifest that are scored; `pipeline` is named in errors.

    Raises:
        ProjectError: if the splits have no sample, or manifest and pairs are from different runs.
    """
    pairs.check_manifest(manifest)
    samples = manifest[manifest["split"].isin(splits)]
    if samples.empty:
        raise ProjectError(f"{pipeline}.splits: no sample is in {', '.join(splits)}")
    return samples


def predictions(
    pairs: PairShards,
    samples: pd.DataFrame,
    others: Mapping[str, AlbedoEstimator],
    images_per_batch: int,
    own: NetworkEstimator | None = None,
    pipeline: str = "evaluate",
) -> Iterator[Row]:
    """One row for each sample, with the prediction of every estimator.

    Args:
        others: estimators by the name that their predictions get.
        images_per_batch: number of samples, of one size, that are predicted together.
        own: the project's own model, whose uncertainty and round trip are stored, too.
        pipeline: named in errors.

    Raises:
        ProjectError: if an image that an estimator gives is not finite, or one has no estimate.
    """
    estimators = {PREDICTION_OF + name: estimator for name, estimator in others.items()}
    if own is not None:
        estimators = {OWN: own} | estimators

    def read(rows: np.ndarray) -> tuple[pd.DataFrame, Batch]:
        chosen = samples.set_index("row", drop=False).loc[rows]
        beauty, albedo, valid = (pairs.batch(name, rows) for name in ("beauty", "albedo", "valid"))
        return chosen, Batch(chosen["sample_id"].tolist(), beauty, albedo, valid == 1)

    batches = pairs.batches(samples["row"], images_per_batch)
    for chosen, batch in progress(ordered_map(read, batches, _READERS), len(batches), pipeline):
        stored = {
            name: quantize(images) for name, images in _images(batch, estimators, own, pipeline)
        }
        for index, sample in enumerate(chosen.itertuples()):
            identity = {"sample_id": sample.sample_id, "group": sample.group, "split": sample.split}
            yield identity | {name: images[index] for name, images in stored.items()}


def _images(
    batch: Batch,
    estimators: Mapping[str, AlbedoEstimator],
    own: NetworkEstimator | None,
    pipeline: str,
) -> Iterator[tuple[str, np.ndarray]]:
    uncertainty = None
    for name, estimator in estimators.items():
        with _named(pipeline, name, batch):
            albedo, spread = estimator.predict(batch)
        yield name, albedo
        uncertainty = spread if name == OWN else uncertainty
    if own is not None:
        with _named(pipeline, "round trip", batch):
            yield "roundtrip", own.round_trip(batch.albedo)
    if uncertainty is not None:
        yield "uncertainty", uncertainty


@contextmanager
def _named(pipeline: str, what: str, batch: Batch) -> Iterator[None]:
    """Adds to an error what was being made, and of which samples."""
    try:
        with memory_named(f"{pipeline}.batch_size"):
            yield
    except NotFiniteError as error:
        ids = batch.sample_ids
        samples = ids[0] if len(ids) == 1 else f"{ids[0]} to {ids[-1]}"
        raise ProjectError(f"{pipeline}: {what}, {samples}: {error}") from error
