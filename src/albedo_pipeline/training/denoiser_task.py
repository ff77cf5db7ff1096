"""What the loop does for the denoiser."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from albedo_pipeline.params import TrainParams
from albedo_pipeline.training.batches import Stream
from albedo_pipeline.training.denoiser_components import TrainingComponents
from albedo_pipeline.training.read_ahead import read_ahead
from albedo_pipeline.training.task import Task
from albedo_pipeline.training.validation import (
    ImageData,
    samples_grid,
    validate_ema_and_raw,
)
from albedo_pipeline.training.validation_metric import metric_digest, validation_metric


@dataclass(frozen=True)
class DenoiserTask(Task):
    """The training of the denoiser."""

    components: TrainingComponents
    stream: Stream
    params: TrainParams
    images: ImageData
    """What it is validated on."""

    @property
    def metric(self) -> tuple[str, bool]:
        """Name of the score that ranks checkpoints, and whether higher is better."""
        metric = validation_metric(self.params.validation)
        return metric.name, metric.higher_is_better

    def scoring(self) -> dict[str, Any]:
        """What the scores of a validation depend on, besides the weights."""
        return super().scoring() | metric_digest(self.params.validation)

    def read_ahead(self, works: Iterable[tuple[int, range]]) -> Generator[tuple[int, range]]:
        """Yield steps and places as they are, those in object storage when they were fetched."""
        if self.stream.is_remote:
            yield from read_ahead(works, self.stream.fetch)
        else:
            yield from works

    def validate(self, stop: Callable[[], bool]) -> dict[str, float] | None:
        """Mean scores of the predictions by averaged and by raw weights."""
        return validate_ema_and_raw(self.components, self.images, self.params, stop)

    def picture(self) -> np.ndarray:
        """Grid of validation samples, predicted by the averaged weights."""
        return samples_grid(self.components, self.images, self.params)
