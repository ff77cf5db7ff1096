"""What the loop does for the denoiser."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator

from albedo_pipeline.params import TrainParams
from albedo_pipeline.training.batches import DeviceBatch, Stream
from albedo_pipeline.training.denoiser_components import TrainingComponents
from albedo_pipeline.training.optimisation import Named
from albedo_pipeline.training.optimiser_step import accumulate, update
from albedo_pipeline.training.read_ahead import read_ahead
from albedo_pipeline.training.resume import Tensors
from albedo_pipeline.training.validation import (
    ImageData,
    samples_grid,
    validate_ema_and_raw,
    validation_metric,
)


@dataclass(frozen=True)
class DenoiserTask:
    """The training of the denoiser; see `task.Task`."""

    components: TrainingComponents
    """What is trained."""
    stream: Stream
    """What it is trained on."""
    images: ImageData
    """What it is validated on."""
    params: TrainParams
    """Settings of the training."""

    @property
    def accelerator(self) -> Accelerator:
        """The Accelerator of this process."""
        return self.components.accelerator

    @property
    def trained(self) -> Named:
        """The trained parameters, by name."""
        return self.components.trained

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the parts of the loss."""
        return self.components.objective.part_names

    @property
    def metric(self) -> tuple[str, bool]:
        """Name of the score that ranks checkpoints, and whether higher is better."""
        metric = validation_metric(self.params.validation.metric)
        return metric.name, metric.higher_is_better

    def __len__(self) -> int:
        """Number of samples of an epoch."""
        return len(self.stream)

    def tensors(self) -> Tensors:
        """The tensors that a checkpoint stores."""
        return self.components.tensors()

    def batch(self, step: int, places: range) -> DeviceBatch:
        """The samples at some places in the effective batch of `step`, on the CPU."""
        return self.stream.batch(step, places)

    def read_ahead(self, works: Iterable[tuple[int, range]]) -> Generator[tuple[int, range]]:
        """Yield steps and places as they are, those in object storage when they were fetched."""
        if self.stream.is_remote:
            yield from read_ahead(works, self.stream.fetch)
        else:
            yield from works

    def sample_ids(self, step: int) -> list[str]:
        """The sample_ids of the effective batch of `step`."""
        return self.stream.sample_ids(step)

    def accumulate(
        self, batches: Iterable[DeviceBatch], micro_batches: int, step: int
    ) -> torch.Tensor:
        """Accumulate the gradients of this process's micro-batches."""
        return accumulate(self.components, batches, micro_batches, step)

    def update(self, totals: torch.Tensor, rate: float, step: int) -> torch.Tensor:
        """Update the weights and their moving average."""
        return update(self.components, totals, rate, step, self.params)

    def scalars(self, step: int) -> dict[str, float]:
        """Nothing besides losses and learning rate."""
        return {}

    def validate(self, stop: Callable[[], bool]) -> dict[str, float] | None:
        """Mean scores of the predictions by averaged and by raw weights."""
        return validate_ema_and_raw(self.components, self.images, self.params, stop)

    def picture(self) -> np.ndarray:
        """Grid of validation samples, predicted by the averaged weights."""
        return samples_grid(self.components, self.images, self.params)
