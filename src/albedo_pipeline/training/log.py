"""The training log: one row a log point or validation, for trackers and for the report."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import torch

from albedo_pipeline.training.optimiser_step import QUARTERS


@dataclass(frozen=True)
class StepRecord:
    """What one optimiser step gave, on the host."""

    step: int
    """0-based."""
    loss: float
    quarter_losses: tuple[float, ...]
    quarter_cells: tuple[float, ...]
    grad_norm: float
    skipped: bool


class StepRecords:
    """Results of the steps since the last log point. They stay on the device until they are
    read, so that a GPU does not wait at every step."""

    def __init__(self, pending: list[list[float]]) -> None:
        """`pending`: what `state` gave, of a run that is continued."""
        self._host = pending
        self._device: list[torch.Tensor] = []
        self._steps: list[int] = []

    def add(self, step: int, results: torch.Tensor) -> None:
        """Take [loss, losses by quarter, cells by quarter, norm, skipped]."""
        self._steps.append(step)
        self._device.append(results)

    def read(self) -> list[StepRecord]:
        """Wait for what is on the device; returns what was not yet returned."""
        if not self._device:
            return []
        rows = torch.stack(self._device).cpu().tolist()
        new = [[float(step), *row] for step, row in zip(self._steps, rows, strict=True)]
        self._device, self._steps = [], []
        self._host += new
        return [_record(row) for row in new]

    def state(self) -> list[list[float]]:
        """Numbers to continue with; `read` before."""
        return self._host

    def take(self) -> list[StepRecord]:
        """All that was read since the last `take`."""
        rows, self._host = self._host, []
        return [_record(row) for row in rows]


def _record(row: list[float]) -> StepRecord:
    losses, cells = row[2 : 2 + QUARTERS], row[2 + QUARTERS : 2 + 2 * QUARTERS]
    norm, skipped = row[2 + 2 * QUARTERS :]
    return StepRecord(int(row[0]), row[1], tuple(losses), tuple(cells), norm, bool(skipped))


def summary(records: list[StepRecord]) -> dict[str, float]:
    """Scalars of a log point: means over the steps that were not skipped."""
    good = [r for r in records if not r.skipped]
    losses, cells = (
        [math.fsum(getattr(r, name)[q] for r in good) for q in range(QUARTERS)]
        for name in ("quarter_losses", "quarter_cells")
    )
    by_quarter = {
        f"loss_t{q + 1}of{QUARTERS}": losses[q] / cells[q] for q in range(QUARTERS) if cells[q]
    }
    if not good:
        return {}
    return {
        "loss": math.fsum(r.loss for r in good) / len(good),
        **by_quarter,
        "grad_norm": math.fsum(r.grad_norm for r in good) / len(good),
    }


class TrainingLog:
    """Rows by step; each scalar also goes to the trackers."""

    def __init__(self, rows: list[dict], track: Callable[[dict[str, float], int], None]) -> None:
        self._rows = {int(row["step"]): _present(row) for row in rows}
        self._track = track

    def add(self, step: int, prefix: str, scalars: dict[str, float]) -> None:
        """Add scalars to the row of `step`, and tell the trackers, as `prefix/name`; in the
        row only names of `validation` bear their prefix."""
        bare = "validation_" if prefix == "validation" else ""
        row = self._rows.setdefault(step, {"step": step})
        row.update({bare + name: value for name, value in scalars.items()})
        self._track({f"{prefix}/{name}": value for name, value in scalars.items()}, step)

    def table(self) -> pd.DataFrame:
        """One row a step that has any; what a row lacks is NaN."""
        rows = [self._rows[step] for step in sorted(self._rows)]
        return pd.DataFrame(rows or {"step": pd.Series(dtype="int64")})


def _present(row: dict) -> dict:
    return {name: value for name, value in row.items() if value == value}  # not NaN
