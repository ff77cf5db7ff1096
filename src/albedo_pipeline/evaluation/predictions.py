"""Pairs => rows of the prediction shards, predicted on a CPU or a GPU."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby, islice
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from albedo_pipeline.errors import NotFiniteError, ProjectError
from albedo_pipeline.evaluation.estimators.base import AlbedoEstimator, Batch
from albedo_pipeline.evaluation.estimators.network import NetworkEstimator
from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.params.base import OWN_SET
from albedo_pipeline.runtime.device import memory_named
from albedo_pipeline.runtime.parallel import one_thread_each, ordered_map, usable_cores
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shard_file import Row
from albedo_pipeline.shards.shards import PREDICTION_OF

_READERS = 2
"""Number of threads that read batches while another one is predicted."""
OWN = "prediction"
"""Tensor column of the predictions of the project's own model."""


class EvaluatedSample(NamedTuple):
    """One sample whose prediction is wanted."""

    row: int
    """Number of its row in the pairs."""
    sample_id: str
    group: str
    split: str
    shape: tuple[int, ...]
    """Shape of its images, [3, H, W]."""


class Opened(NamedTuple):
    """Estimators that are ready to predict."""

    others: Mapping[str, AlbedoEstimator]
    """By the name that their predictions get."""
    own: NetworkEstimator | None = None
    """The project's own model, whose uncertainty and round trip are stored, too."""


class Estimators:
    """Estimators of this process; a copy that is sent to a worker opens its own ones."""

    def __init__(self, open_here: Callable[[], Opened], opened: Opened) -> None:
        """
        Args:
            open_here: opens the estimators on the device of the process that calls it.
            opened: those of this process.
        """
        self._open = open_here
        self._opened: Opened | None = opened

    def __call__(self) -> Opened:
        """The estimators, which are opened once a process."""
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": None}


def samples_of(
    pairs: PairShards,
    manifest: pd.DataFrame,
    splits: tuple[str, ...],
    pipeline: str,
    name: str = OWN_SET,
) -> pd.DataFrame:
    """Rows of the manifest that are scored, images of one shape together, so that batches are full.

    Args:
        pipeline: is named in errors, like `name`, the set of the pairs.

    Raises:
        ProjectError: if the splits have no sample, or manifest and pairs are from different runs.
    """
    pairs.check_manifest(manifest)
    samples = manifest[manifest["split"].isin(splits)]
    if samples.empty:
        of_set = "" if name == OWN_SET else f" of the set {name}"
        raise ProjectError(f"{pipeline}.splits: no sample{of_set} is in {', '.join(splits)}")
    shapes = pairs.shapes("beauty")[samples["row"]]
    return samples.iloc[np.lexsort((samples["row"], *shapes.T[::-1]))]


class SplitPredictor:
    """Predicts samples so that the result depends on their chunk alone, not on who makes it.

    The bits of a convolution's result depend on the batch and on the number of threads. So batches
    are parts of a chunk, which is the same in every run of one cache key, and on a CPU each is
    predicted by one thread.
    """

    def __init__(
        self,
        pairs: PairShards,
        estimators: Estimators,
        images_per_batch: int,
        lineage: str,
        pipeline: str,
        *,
        threads: bool,
    ) -> None:
        """
        Args:
            pairs: the images.
            estimators: what predicts.
            images_per_batch: number of samples, of one size, that are predicted together.
            lineage: digest of the lineage, which every row repeats.
            pipeline: is named in errors.
            threads: whether batches are predicted by one thread a core, as is fast on a CPU.
        """
        self._pairs, self._estimators, self._lineage = pairs, estimators, lineage
        self._images_per_batch, self._pipeline, self._threads = images_per_batch, pipeline, threads

    def rows(self, chunks: Iterable[Sequence[EvaluatedSample]]) -> Iterator[list[Row]]:
        """Predict samples, one row each, reading ahead; a batch does not cross a chunk's end.

        A row has the predictions of all estimators; of the project's own model also the
        autoencoder's round trip of the true albedo, and with an ensemble the uncertainty.

        Raises:
            ProjectError: if an image that an estimator gives is not finite, one has no estimate of
                a sample, or the memory is too small.
        """
        opened = self._estimators()
        batches = (batch for chunk in chunks for batch in self._batches(chunk))
        if self._threads:
            with one_thread_each():
                for rows in ordered_map(
                    lambda samples: self._rows(samples, self._read(samples), opened),
                    batches,
                    usable_cores(),
                ):
                    yield from rows
            return
        for samples, batch in ordered_map(lambda s: (s, self._read(s)), batches, _READERS):
            yield from self._rows(samples, batch, opened)

    def _batches(self, chunk: Sequence[EvaluatedSample]) -> Iterator[list[EvaluatedSample]]:
        for _, alike in groupby(chunk, key=lambda sample: sample.shape):
            while batch := list(islice(alike, self._images_per_batch)):
                yield batch

    def _read(self, samples: list[EvaluatedSample]) -> Batch:
        rows = [sample.row for sample in samples]
        beauty, albedo, valid = (
            self._pairs.batch(name, rows) for name in ("beauty", "albedo", "valid")
        )
        return Batch([sample.sample_id for sample in samples], beauty, albedo, valid == 1)

    def _rows(
        self, samples: list[EvaluatedSample], batch: Batch, opened: Opened
    ) -> list[list[Row]]:
        stored = {name: quantize(images) for name, images in _images(batch, opened, self._pipeline)}
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
            for place, sample in enumerate(samples)
        ]


def _images(batch: Batch, opened: Opened, pipeline: str) -> Iterator[tuple[str, np.ndarray]]:
    """sRGB-encoded images [B, C, H, W] in [0, 1], with the name of their column."""
    own, uncertainty = opened.own, None
    if own is not None:
        with _named(pipeline, OWN, batch):
            albedo, uncertainty = own.predict(batch)
        yield OWN, albedo
    for name, estimator in opened.others.items():
        with _named(pipeline, name, batch):
            albedo, _ = estimator.predict(batch)
        yield PREDICTION_OF + name, albedo
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
