"""What a training is to the loop: components, batches, the step, and how samples are scored."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from accelerate import Accelerator

from albedo_pipeline.params.training_loop import TrainingLoop
from albedo_pipeline.training.batches import DeviceBatch
from albedo_pipeline.training.optimisation import Named
from albedo_pipeline.training.optimiser_step import Components, accumulate, update
from albedo_pipeline.training.resume import Tensors


class SampleStream(Protocol):
    """All samples that a training uses, in their order."""

    def __len__(self) -> int:
        """Number of samples of an epoch."""
        ...

    def batch(self, step: int, places: range) -> DeviceBatch:
        """The samples at some places in the effective batch of `step`, on the CPU.

        A pure function of step and place; threads call it.
        """
        ...

    def sample_ids(self, step: int) -> list[str]:
        """The sample_ids of the effective batch of `step`."""
        ...


@dataclass(frozen=True)
class Task(ABC):
    """What the loop trains. All processes call the same methods together."""

    components: Components
    """What is trained, and what trains it."""
    stream: SampleStream
    """What it is trained on."""
    params: TrainingLoop
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
        """Names of the parts of the loss; they are logged as `loss_<name>`."""
        return self.components.objective.part_names

    @property
    @abstractmethod
    def metric(self) -> tuple[str, bool]:
        """Name of the score that ranks checkpoints, and whether higher is better."""

    def __len__(self) -> int:
        """Number of samples of an epoch."""
        return len(self.stream)

    def tensors(self) -> Tensors:
        """The tensors that a checkpoint stores."""
        return self.components.tensors()

    def batch(self, step: int, places: range) -> DeviceBatch:
        """The samples at some places in the effective batch of `step`, on the CPU.

        A pure function of step and place; threads call it.
        """
        return self.stream.batch(step, places)

    def read_ahead(self, works: Iterable[tuple[int, range]]) -> Generator[tuple[int, range]]:
        """Yield steps and places as they are, each when `batch` can draw it without waiting."""
        yield from works

    def sample_ids(self, step: int) -> list[str]:
        """The sample_ids of the effective batch of `step`."""
        return self.stream.sample_ids(step)

    def accumulate(
        self, batches: Iterable[DeviceBatch], micro_batches: int, step: int
    ) -> torch.Tensor:
        """Accumulate the gradients of this process's micro-batches; returns their totals."""
        return accumulate(self.components, batches, micro_batches, step)

    def update(self, totals: torch.Tensor, rate: float, step: int) -> torch.Tensor:
        """Update the weights and their average; returns the results, see `log.StepRecords`."""
        return update(self.components, totals, rate, step, self.params)

    def scalars(self, step: int) -> dict[str, float]:
        """Numbers for the log point after `step` steps, besides losses and learning rate."""
        return {}

    def scoring(self) -> dict[str, Any]:
        """What the scores of a validation depend on, besides the weights."""
        return self.params.validation.scoring_settings()

    @abstractmethod
    def validate(self, stop: Callable[[], bool]) -> dict[str, float] | None:
        """Mean scores by name; None if `stop` asked to stop.

        Raises:
            NotFiniteError: in all processes, if an image is not finite.
        """

    @abstractmethod
    def picture(self) -> np.ndarray:
        """Validation samples as one image, uint8 [H, W, 3]; only the main process calls it."""
