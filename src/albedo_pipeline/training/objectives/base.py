"""What the training step needs to know of an objective."""

from dataclasses import dataclass
from typing import Any, Protocol

import torch


@dataclass(frozen=True)
class Losses:
    """Losses of a micro-batch, as sums, so that they can be added over all micro-batches."""

    total: torch.Tensor
    """Sum of the loss over all valid elements, []; has a gradient."""
    count: torch.Tensor
    """Number of valid elements, []. The loss of an effective batch is the sum of its totals divided
    by the sum of its counts."""
    part_totals: torch.Tensor
    """Sums of the parts that are logged, [K]; without gradient."""
    part_counts: torch.Tensor
    """What each of these is divided by, after all have been added, [K]."""


class Objective(Protocol):
    """How the loss of a micro-batch follows from the model."""

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the K parts; they are logged as `loss_<name>`."""
        ...

    def losses(self, model: Any, batch: Any, step: int) -> Losses:
        """Losses of a micro-batch, on its device.

        Args:
            model: what is trained, as Accelerate wraps it.
            batch: samples, as the objective's stream draws them.
            step: number of the optimiser step, 0-based.
        """
        ...
