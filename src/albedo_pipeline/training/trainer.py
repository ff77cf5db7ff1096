"""The training's loop: optimiser steps, and what is due between them."""

import json
import logging
import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.io.write import write_png
from albedo_pipeline.params import TrainParams
from albedo_pipeline.runtime.device import peak_memory
from albedo_pipeline.runtime.distributed import micro_batch_ranges, run_on_main_and_broadcast
from albedo_pipeline.runtime.parallel import ordered_map
from albedo_pipeline.runtime.progress import progress
from albedo_pipeline.training.batches import Batch, Stream
from albedo_pipeline.training.log import StepRecords, TrainingLog, summary
from albedo_pipeline.training.optimisation import largest_gradients
from albedo_pipeline.training.optimiser_step import (
    TrainingComponents,
    accumulate,
    ema_decay,
    update,
)
from albedo_pipeline.training.resume import CONFIGURATION, TrainState, is_finished, numbers
from albedo_pipeline.training.schedules import after_validation, learning_rate
from albedo_pipeline.training.stopping import Paused, StopRequest
from albedo_pipeline.training.trackers import track_image, track_text
from albedo_pipeline.training.validation import (
    ImageData,
    samples_grid,
    scores_of_both,
    validation_metric,
)

logger = logging.getLogger(__name__)
_READERS = 2  # threads that draw the batches ahead


class Trainer:
    """One process's share of a training. All processes call the same methods together."""

    def __init__(
        self,
        parts: TrainingComponents,
        stream: Stream,
        images: ImageData,
        params: TrainParams,
        store: Checkpoints,
        config: dict[str, Any],
        state: TrainState,
        log: TrainingLog,
    ) -> None:
        self.parts, self.stream, self.images, self.params = parts, stream, images, params
        self.store, self.config, self.state, self.log = store, config, state, log
        self.records = StepRecords(state.pending)
        self.last_step = params.last_step(len(stream))
        self._unsaved = False
        self._since, self._waited, self._steps_timed = time.monotonic(), 0.0, 0
        self._said = ""

    def run(self, stop: StopRequest) -> None:
        """Train to the end.

        Raises:
            Paused: where it was asked to stop; the checkpoint is written.
            ProjectError: after too many steps in a row without a finite loss and gradient.
        """
        self._run_due(stop)
        steps = range(self.state.step, self.last_step)
        shown = progress(steps, self.last_step, "train", self.state.step, lambda: self._said)
        with closing(self._batches()) as batches:
            for _ in shown if self.parts.accelerator.is_main_process else steps:
                if is_finished(self.state, self.last_step):
                    return
                self._step(batches)
                self._run_due(stop)

    # One step

    def _batches(self) -> Generator[Batch]:
        """This process's micro-batches of all steps to come, drawn ahead on threads."""
        on_gpu = self.parts.accelerator.device.type == "cuda"

        def draw(work: tuple[int, range]) -> Batch:
            batch = self.stream.batch(*work)
            return batch.pinned() if on_gpu else batch

        steps = range(self.state.step, self.last_step)
        work = ((step, places) for step in steps for places in self._places())
        yield from ordered_map(draw, work, _READERS)

    def _places(self) -> list[range]:
        accelerator, params = self.parts.accelerator, self.params
        return micro_batch_ranges(
            accelerator.process_index,
            accelerator.num_processes,
            params.effective_batch_size,
            params.micro_batch_size,
        )

    def _timed(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The batches of one step; the time that was waited for them is counted."""
        for _ in self._places():
            start = time.monotonic()
            batch = next(batches)
            self._waited += time.monotonic() - start
            yield batch

    def _step(self, batches: Iterator[Batch]) -> None:
        state, params = self.state, self.params
        step = state.step
        totals = accumulate(
            self.parts,
            self._timed(batches),
            len(self._places()),
            self.stream.valid_cells(step),
            params,
        )
        if self._due(params.log_gradients_every, step + 1):
            self._log_gradients(step + 1)
        rate = learning_rate(params.learning_rate, step, self.last_step, state.plateau)
        self.records.add(step, update(self.parts, totals, rate, step, params))
        state.step += 1
        self._unsaved = True
        self._steps_timed += 1
        if self._due(params.log_every, state.step):
            self._log_step(rate)

    def _due(self, every: int | None, step: int) -> bool:
        return every is not None and (step % every == 0 or step == self.last_step)

    # What is due between steps

    def _run_due(self, stop: StopRequest) -> None:
        """Validate, show, save and stop, as far as it is due after `state.step` steps."""
        state = self.state
        stopping = stop()
        if not stopping and self._validation_is_due():
            # A time limit shorter than a validation must not stop every attempt at it.
            stopping = not self._validate(lambda: stop(heeds_time=self._unsaved))
        if not stopping and self._visualisation_is_due():
            self._visualise()
        if self._unsaved and (stopping or self._checkpoint_is_due()):
            self._save()
        finished = is_finished(state, self.last_step)
        left = not finished or self._validation_is_due() or self._visualisation_is_due()
        if stopping and left:
            reason = stop.reason or "another process"
            logger.info("train: paused by %s after step %d; run again to go on", reason, state.step)
            raise Paused

    def _validation_is_due(self) -> bool:
        params, step = self.params.validation, self.state.step
        due = self._due(params.every, step) if step else params.at_start and params.every
        return bool(due) and self.state.validated != step

    def _visualisation_is_due(self) -> bool:
        step = self.state.step
        due = step and self._due(self.params.visualisation.every, step)
        return bool(due) and self.state.visualised != step

    def _checkpoint_is_due(self) -> bool:
        step, periods = self.state.step, self.params.checkpoints
        is_best = any(step == best for best, _ in self.state.best)
        due = self._due(periods.every, step) or self._due(periods.keep_every, step)
        return is_best or self.state.plateau.ended or bool(step and due)

    def _validate(self, stop: Callable[[], bool]) -> bool:
        """Score the weights; False where it was stopped on the way."""
        scores = scores_of_both(self.parts, self.images, self.params, stop)
        if scores is None:
            return False
        state, params = self.state, self.params
        metric = validation_metric(params.validation.metric)
        value = scores[metric.name]
        state.validated, self._unsaved = state.step, True
        sign = -1 if metric.higher_is_better else 1
        ranked = sorted([*state.best, (state.step, value)], key=lambda item: sign * item[1])
        state.best = ranked[: params.checkpoints.keep_best]
        # Not the one at the end of the training, which a longer training does not have.
        every = params.validation.every
        regular = every is not None and state.step > 0 and state.step % every == 0
        if params.learning_rate.decay == "plateau" and regular:
            state.plateau = after_validation(
                state.plateau, value, metric.higher_is_better, params.learning_rate.plateau
            )
        self.log.add(state.step, "validation", scores)
        said = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
        logger.info("train: validation after step %d: %s", state.step, said)
        return True

    def _visualise(self) -> None:
        """A grid of samples as PNG and for the trackers; the first process alone makes it."""
        state, accelerator = self.state, self.parts.accelerator
        state.visualised, self._unsaved = state.step, True

        def show() -> None:
            image = samples_grid(self.parts, self.images, self.params)
            track_image(accelerator, "validation/samples", image, state.step)
            write_png(self.store.folder / "samples" / f"step-{state.step:08d}.png", image)

        run_on_main_and_broadcast(accelerator, show)

    # Log and checkpoint

    def _read_records(self) -> None:
        """Wait for the results so far; count and name the steps that were left out."""
        state = self.state
        for record in self.records.read():
            state.skipped_in_a_row = state.skipped_in_a_row + 1 if record.skipped else 0
            if not record.skipped:
                continue
            state.skipped += 1
            logger.warning(
                "train: step %d left out, its loss is %g and its gradient %g; samples: %s",
                record.step,
                record.loss,
                record.grad_norm,
                ", ".join(self.stream.sample_ids(record.step)),
            )
            if state.skipped_in_a_row >= self.params.max_skipped_in_a_row:
                raise ProjectError(
                    f"train: {state.skipped_in_a_row} steps in a row, the last of them "
                    f"{record.step}, without a finite loss and gradient; lower learning_rate"
                )

    def _log_step(self, rate: float) -> None:
        self._read_records()
        state, params = self.state, self.params
        now = time.monotonic()
        elapsed, samples = now - self._since, self._steps_timed * params.effective_batch_size
        scalars = summary(self.records.take()) | {
            "learning_rate": rate,
            "ema_decay": ema_decay(params.ema, state.step - 1),
            "epoch": state.step * params.effective_batch_size / len(self.stream),
            "skipped_steps": float(state.skipped),
        }
        usage = {
            "samples_per_second": samples / elapsed,
            "waiting_for_data": self._waited / elapsed,
            "peak_memory_gib": peak_memory(self.parts.accelerator.device) / 2**30,
        }
        self.log.add(state.step, "train", scalars)
        self.log.add(state.step, "usage", usage)
        self._said = (
            f"loss {scalars.get('loss', math.nan):.4g}, "
            f"{usage['samples_per_second']:.4g} samples/s, "
            f"{usage['peak_memory_gib']:.2f} GiB"
        )
        self._since, self._waited, self._steps_timed = now, 0.0, 0

    def _log_gradients(self, step: int) -> None:
        scaler = self.parts.accelerator.scaler
        rows = largest_gradients(self.parts.trained, scaler.get_scale() if scaler else 1.0)
        lines = [f"{norm:.4g}  {name}" for name, norm in rows]
        logger.info("train: largest gradients at step %d:\n%s", step, "\n".join(lines))
        track_text(self.parts.accelerator, "train/largest_gradients", "\n".join(lines), step)

    def _save(self) -> None:
        self._read_records()
        self.state.pending = self.records.state()
        self._unsaved = False

        def write() -> None:
            self.store.write(self.state.step, self._fill)
            self.store.keep_only(self._kept())

        run_on_main_and_broadcast(self.parts.accelerator, write)

    def _fill(self, folder: Path) -> None:
        tensors = self.parts.tensors()
        tensors.write(folder)
        files = {
            "state.json": numbers(self.state, tensors.scaler),
            CONFIGURATION: self.config,
        }
        for name, content in files.items():
            (folder / name).write_text(json.dumps(content, indent=2), encoding="utf-8")
        self.log.table().to_parquet(folder / "log.parquet")

    def _kept(self) -> set[int]:
        periods, steps = self.params.checkpoints, self.store.steps()
        every = periods.keep_every
        return {
            *steps[-periods.keep_last :],
            *(step for step, _ in self.state.best),
            *(step for step in steps if every and step % every == 0),
        }
