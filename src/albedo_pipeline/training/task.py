"""What differs between trainings: components, batches, the step, and how samples are scored."""

from collections.abc import Callable, Generator, Iterable
from typing import Protocol

import numpy as np
import torch
from accelerate import Accelerator

from albedo_pipeline.training.batches import DeviceBatch
from albedo_pipeline.training.optimisation import Named
from albedo_pipeline.training.resume import Tensors


class Task(Protocol):
    """What the loop trains. All processes call the same methods together."""

    @property
    def accelerator(self) -> Accelerator:
        """The Accelerator of this process."""
        ...

    @property
    def trained(self) -> Named:
        """The trained parameters, by name."""
        ...

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the parts of the loss; they are logged as `loss_<name>`."""
        ...

    @property
    def metric(self) -> tuple[str, bool]:
        """Name of the score that ranks checkpoints, and whether higher is better."""
        ...

    def __len__(self) -> int:
        """Number of samples of an epoch."""
        ...

    def tensors(self) -> Tensors:
        """The tensors that a checkpoint stores."""
        ...

    def batch(self, step: int, places: range) -> DeviceBatch:
        """The samples at some places in the effective batch of `step`, on the CPU.

        A pure function of step and place; threads call it.
        """
        ...

    def read_ahead(self, works: Iterable[tuple[int, range]]) -> Generator[tuple[int, range]]:
        """Yield steps and places as they are, each when `batch` can draw it without waiting."""
        ...

    def sample_ids(self, step: int) -> list[str]:
        """The sample_ids of the effective batch of `step`."""
        ...

    def accumulate(
        self, batches: Iterable[DeviceBatch], micro_batches: int, step: int
    ) -> torch.Tensor:
        """Accumulate the gradients of this process's micro-batches; returns their totals."""
        ...

    def update(self, totals: torch.Tensor, rate: float, step: int) -> torch.Tensor:
        """Update the weights; returns the results of the step, see `log.StepRecords`."""
        ...

    def scalars(self, step: int) -> dict[str, float]:
        """Numbers for the log point after `step` steps, besides losses and learning rate."""
        ...

    def validate(self, stop: Callable[[], bool]) -> dict[str, float] | None:
        """Mean scores by name; None if `stop` asked to stop.

        Raises:
            NotFiniteError: in all processes, if an image is not finite.
        """
        ...

    def picture(self) -> np.ndarray:
        """Validation samples as one image, uint8 [H, W, 3]; only the main process calls it."""
        ...
