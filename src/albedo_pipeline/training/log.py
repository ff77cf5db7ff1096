"""The training log: rows for TensorBoard and for the table that the report reads."""

import math
import time
from collections.abc import Iterator
from typing import Any

import torch

from albedo_pipeline.errors import ProjectError


class TrainingLog:
    """Collects losses and gradient norms on the device, and reads them once every `every` steps,
    so that a GPU does not wait at every step."""

    def __init__(self, writer: Any, every: int, batch_size: int, samples: int) -> None:
        self._writer, self._every = writer, every
        self._batch_size, self._samples = batch_size, samples
        self._losses: list[torch.Tensor] = []
        self._norms: list[torch.Tensor] = []
        self._since = time.monotonic()
        self._rows: list[dict[str, float]] = []

    def __iter__(self) -> Iterator[dict[str, float]]:
        return iter(self._rows)

    def add(
        self, step: int, loss: torch.Tensor, norm: torch.Tensor, last: bool, **scalars: float
    ) -> None:
        """Take what one optimiser step gave; `last` writes what is left over.

        Raises:
            ProjectError: where the mean loss is not finite.
        """
        self._losses.append(loss)
        self._norms.append(norm)
        if (step + 1) % self._every and not last:
            return
        loss_mean = float(torch.stack(self._losses).mean())
        if not math.isfinite(loss_mean):
            raise ProjectError(
                f"train: the loss is {loss_mean} at step {step}; lower learning_rate"
            )
        now = time.monotonic()
        row = {
            "step": step + 1,
            "loss": loss_mean,
            "grad_norm": float(torch.stack(self._norms).mean()),
            **scalars,
            "epoch": (step + 1) * self._batch_size / self._samples,
            "samples_per_second": len(self._losses) * self._batch_size / (now - self._since),
        }
        for name, value in row.items():
            if name != "step":
                self._writer.add_scalar(f"train/{name}", value, step + 1)
        self._rows.append(row)
        self._losses, self._norms, self._since = [], [], now
