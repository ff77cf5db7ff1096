"""The training log: one row for each log point or validation, for trackers and report."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd
import torch

from albedo_pipeline.training.batches import DeviceBatch


@dataclass(frozen=True)
class StepRecord:
    """Result of one optimiser step, in host memory."""

    step: int
    """Number of the step, 0-based."""
    loss: float
    """Mean loss over the valid elements of the effective batch."""
    part_totals: tuple[float, ...]
    """Sum of each part of the loss."""
    part_counts: tuple[float, ...]
    """What each part's sum is divided by."""
    grad_norm: float
    """Norm of the gradient before clipping."""
    skipped: bool
    """Whether the weights were left unchanged because loss or gradient was not finite."""


class StepRecords:
    """Results of the steps since the last log point.

    They stay on the device until they are read, so that a GPU does not wait at every step.
    """

    def __init__(self, pending: list[list[float]]) -> None:
        """Continue from `pending`, what `state` returned when the checkpoint was written."""
        self._host = pending
        self._device: list[torch.Tensor] = []
        self._steps: list[int] = []

    def add(self, step: int, results: torch.Tensor) -> None:
        """Add what `optimiser_step.update` returned for a step."""
        self._steps.append(step)
        self._device.append(results)

    def read(self) -> list[StepRecord]:
        """Copy the results from the device, which waits for it; returns the new ones."""
        if not self._device:
            return []
        rows = torch.stack(self._device).cpu().tolist()
        new = [[float(step), *row] for step, row in zip(self._steps, rows, strict=True)]
        self._device, self._steps = [], []
        self._host += new
        return [_record(row) for row in new]

    def state(self) -> list[list[float]]:
        """What a checkpoint stores to continue from; call `read` first."""
        return self._host

    def take(self) -> list[StepRecord]:
        """Return and forget all results that were read since the last `take`."""
        rows, self._host = self._host, []
        return [_record(row) for row in rows]


def _record(row: list[float]) -> StepRecord:
    step, loss, _count, *parts, norm, skipped = row
    half = len(parts) // 2
    return StepRecord(
        int(step), loss, tuple(parts[:half]), tuple(parts[half:]), norm, bool(skipped)
    )


def summary(records: list[StepRecord], part_names: tuple[str, ...]) -> dict[str, float]:
    """Scalars of a log point: means over the steps that were not skipped."""
    done = [r for r in records if not r.skipped]
    if not done:
        return {}
    totals, counts = (
        [math.fsum(column) for column in zip(*(getattr(r, name) for r in done), strict=True)]
        for name in ("part_totals", "part_counts")
    )
    parts = zip(part_names, totals, counts, strict=True)
    return {
        "loss": math.fsum(r.loss for r in done) / len(done),
        **{f"loss_{name}": total / count for name, total, count in parts if count},
        "grad_norm": math.fsum(r.grad_norm for r in done) / len(done),
    }


class StepTimer:
    """Measures the speed of the steps since the last log point."""

    def __init__(self) -> None:
        self.steps = 0
        """Number of steps since the last log point."""
        self._start, self._waited = time.monotonic(), 0.0

    def waiting_for(self, batches: Iterator[DeviceBatch]) -> Iterator[DeviceBatch]:
        """Yield the batches, and count the time spent waiting for them."""
        while True:
            start = time.monotonic()
            batch = next(batches, None)
            self._waited += time.monotonic() - start
            if batch is None:
                return
            yield batch

    def restart(self, effective_batch_size: int) -> dict[str, float]:
        """Samples a second and the share of time spent waiting for data; then start again."""
        now = time.monotonic()
        elapsed, samples = now - self._start, self.steps * effective_batch_size
        usage = {
            "samples_per_second": samples / elapsed,
            "waiting_for_data": self._waited / elapsed,
        }
        self._start, self._waited, self.steps = now, 0.0, 0
        return usage


def tag(group: str, name: str) -> str:
    """Name of a scalar in the trackers, which sort by it: so the loss comes first.

    TensorBoard sorts `_` as it sorts `/`, so `loss_parts` would come before `loss`.

    Args:
        group: `training`, `validation` or `usage`.
        name: name of the scalar in the training log, without `validation_`.
    """
    if group != "training":
        return f"{group}/{name}"
    if name == "loss":
        return "loss/total"
    part = name.removeprefix("loss_")
    return f"optimiser/{name}" if part == name else f"parts_of_loss/{part}"


class TrainingLog:
    """Rows of scalars by step; each scalar is also sent to the trackers."""

    def __init__(self, rows: list[dict], track: Callable[[dict[str, float], int], None]) -> None:
        self._rows = {int(row["step"]): _without_nan(row) for row in rows}
        self._track = track

    def add(self, step: int, group: str, scalars: dict[str, float]) -> None:
        """Add scalars to the row of `step`, and send them to the trackers under their `tag`.

        In the row, scalars of the validation are named `validation_<name>`, all others `<name>`.
        """
        bare = "validation_" if group == "validation" else ""
        row = self._rows.setdefault(step, {"step": step})
        row.update({bare + name: value for name, value in scalars.items()})
        self._track({tag(group, name): value for name, value in scalars.items()}, step)

    def table(self) -> pd.DataFrame:
        """One row for each step that has scalars; a scalar that a row lacks is NaN."""
        rows = [self._rows[step] for step in sorted(self._rows)]
        return pd.DataFrame(rows or {"step": pd.Series(dtype="int64")})


def _without_nan(row: dict) -> dict:
    return {name: value for name, value in row.items() if not math.isnan(value)}
