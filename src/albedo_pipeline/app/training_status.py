"""What a training has done so far, read from the files that it writes while it runs."""

import json
import os
import signal
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.locks import holding_process
from albedo_pipeline.training.log import tag

_LOSS, _SAMPLES_PER_SECOND = tag("training", "loss"), tag("usage", "samples_per_second")
_VALIDATION = "validation/"
_EVERYTHING = {event_accumulator.SCALARS: 0, event_accumulator.IMAGES: 1}
"""How many values of a kind are read; 0 is all."""


@dataclass(frozen=True)
class Training:
    """A training that can be watched, and its folders; they need not exist."""

    name: str
    """Name of its pipeline: `train` or `autoencoder`."""
    checkpoints: Path
    tensorboard: Path


@dataclass(frozen=True)
class Status:
    """How far a training is."""

    process: int | None = None
    """Process on this machine that trains now; None if there is none."""
    step: int = 0
    """Optimiser steps done at the last log point."""
    last_step: int | None = None
    """Optimiser steps of the complete training; None if the run does not say."""
    samples_per_second: float | None = None
    remaining: timedelta | None = None
    """Time that the running training still needs; None if it is not running or has not said."""
    loss: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"step": [], "loss": []}))
    """Columns `step` and `loss`."""
    scores: dict[str, pd.DataFrame] = field(default_factory=dict)
    """For each score of the validation its columns `step` and `score`."""
    picture: Path | None = None
    """The newest grid of validation samples."""


class TrainingWatch:
    """Reads the status of one training again and again; of its log only what is new."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self._log: EventAccumulator | None = None

    def status(self, now: float | None = None) -> Status:
        """Read how far the training is.

        Args:
            now: seconds since 1970, for the remaining time; None is the present.
        """
        process = holding_process(self.training.checkpoints)
        log = self._newest_log()
        if log is None:
            return Status(process)
        scalars = {name: log.Scalars(name) for name in log.Tags()["scalars"]}
        points = scalars.get(_LOSS, [])
        speed = scalars.get(_SAMPLES_PER_SECOND, [])
        record = _newest_record(self.training.checkpoints)
        step, last_step = points[-1].step if points else 0, record.get("last_step")
        rate = speed[-1].value if speed else None
        remaining = None
        if process and rate and last_step:
            batch = record["configuration"]["effective_batch_size"]
            seconds = (last_step - step) * batch / rate
            since = max(0.0, (now or time.time()) - speed[-1].wall_time)
            remaining = timedelta(seconds=round(max(0.0, seconds - since)))
        pictures = sorted((self.training.checkpoints / "samples").glob("step-*.png"))
        return Status(
            process,
            step,
            last_step,
            rate,
            remaining,
            pd.DataFrame({"step": [p.step for p in points], "loss": [p.value for p in points]}),
            {
                name.removeprefix(_VALIDATION): pd.DataFrame(
                    {"step": [p.step for p in values], "score": [p.value for p in values]}
                )
                for name, values in scalars.items()
                if name.startswith(_VALIDATION)
            },
            pictures[-1] if pictures else None,
        )

    def pause(self) -> int:
        """Ask the running training to pause, as SIGTERM does; returns its process.

        Raises:
            ProjectError: if no training runs on this machine, or it belongs to another user.
        """
        process = holding_process(self.training.checkpoints)
        if process is None:
            raise ProjectError(f"{self.training.name}: no training runs on this machine")
        try:
            os.kill(process, signal.SIGTERM)
        except OSError as error:
            raise ProjectError(f"process {process}: {error.strerror}") from error
        return process

    def _newest_log(self) -> EventAccumulator | None:
        """The TensorBoard log of the newest run, with all that was written to it until now."""
        files = [*self.training.tensorboard.glob("*/events.out.tfevents.*")]
        if not files:
            return None
        folder = str(max(files, key=lambda path: path.stat().st_mtime_ns).parent)
        if self._log is None or self._log.path != folder:
            self._log = EventAccumulator(folder, size_guidance=_EVERYTHING)
        return self._log.Reload()


def _newest_record(checkpoints: Path) -> dict[str, Any]:
    """The record of the newest run; empty if there is none that can be read."""
    files = sorted((checkpoints / "runs").glob("*.json"))
    try:
        return json.loads(files[-1].read_text(encoding="utf-8")) if files else {}
    except (OSError, ValueError):  # it is being written
        return {}
