"""The training loop: optimiser steps, and what is due between them."""

import logging
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from types import MappingProxyType
from typing import Any

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.errors import NotFiniteError, ProjectError
from albedo_pipeline.imaging.io.write import write_png
from albedo_pipeline.params.training_loop import TrainingLoop
from albedo_pipeline.runtime.device import memory_named, peak_memory
from albedo_pipeline.runtime.distributed import (
    any_process,
    micro_batch_ranges,
    run_on_main_and_broadcast,
)
from albedo_pipeline.runtime.parallel import ordered_map
from albedo_pipeline.runtime.progress import progress
from albedo_pipeline.training.batches import DeviceBatch
from albedo_pipeline.training.callbacks import Callback, Callbacks, Progress
from albedo_pipeline.training.checkpoint_writer import CheckpointWriter
from albedo_pipeline.training.due import (
    Interval,
    checkpoint_is_due,
    counts_for_plateau,
    is_due,
    is_finished,
    ranked,
    validation_is_due,
    visualisation_is_due,
)
from albedo_pipeline.training.log import StepRecords, StepTimer, TrainingLog, summary
from albedo_pipeline.training.optimisation import ema_decay, largest_gradients
from albedo_pipeline.training.picture_grid import write_animation
from albedo_pipeline.training.profiling import profiled
from albedo_pipeline.training.resume import Snapshot, TrainState
from albedo_pipeline.training.schedules import after_validation, learning_rate
from albedo_pipeline.training.stopping import Paused, StopRequest
from albedo_pipeline.training.task import Task
from albedo_pipeline.training.trackers import track_image, track_text

logger = logging.getLogger(__name__)
_DRAWING_THREADS = 2
"""Threads that draw batches ahead of the step that uses them."""
_FRAME_SECONDS = 0.5
"""How long each grid of samples is shown in the animation."""


class Trainer:
    """The part of one process in a training. All processes call the same methods together."""

    def __init__(
        self,
        task: Task,
        params: TrainingLoop,
        store: Checkpoints,
        config: dict[str, Any],
        state: TrainState,
        log: TrainingLog,
        callbacks: Callbacks,
    ) -> None:
        self.task, self.params = task, params
        self.store, self.config, self.state, self.log = store, config, state, log
        self.records = StepRecords(state.pending)
        self.last_step = params.last_step(len(task))
        self._unsaved = False
        self._writer = CheckpointWriter(store, params.checkpoints)
        self._timer = StepTimer()
        self._since_checkpoint = Interval(params.checkpoints.every_minutes)
        self._status = ""
        self._callbacks = callbacks
        self._logged: dict[str, float] = {}
        self._name = params.pipeline

    def run(self, stop: StopRequest) -> None:
        """Train to the end.

        Raises:
            Paused: if it was asked to stop; the checkpoint is written.
            ProjectError: if the loss or gradient was not finite in too many consecutive steps, a
                validation's prediction is not finite, or the memory is too small.
        """
        path = self.params.settings_path
        with (
            memory_named(
                f"{path}.micro_batch_size or {path}.validation.batch_size, which change no result, "
                f"or set {path}.execution.gradient_checkpointing"
            ),
            self._writer,
        ):
            self._run(stop)
            self._wait_for_the_checkpoint()

    def _run(self, stop: StopRequest) -> None:
        self._run_due(stop)
        steps = range(self.state.step, self.last_step)
        shown = progress(steps, self.last_step, self._name, self.state.step, lambda: self._status)
        if self.task.accelerator.is_main_process:
            profile, folder = self.params.execution.profile, self.store.folder / "profile"
            loop: Iterable[int] = profiled(shown, profile, folder)
        else:
            loop = steps
        with closing(self._batches()) as batches:
            for _ in loop:
                if is_finished(self.state, self.last_step):
                    return
                self._step(batches)
                self._run_due(stop)

    # One step

    def _batches(self) -> Generator[DeviceBatch]:
        """Micro-batches of this process for all remaining steps, drawn ahead on threads."""
        on_gpu = self.task.accelerator.device.type == "cuda"

        def draw(work: tuple[int, range]) -> DeviceBatch:
            batch = self.task.batch(*work)
            return batch.pinned() if on_gpu else batch

        steps = range(self.state.step, self.last_step)
        work = ((step, places) for step in steps for places in self._places())
        with closing(self.task.read_ahead(work)) as ready:
            yield from ordered_map(draw, ready, _DRAWING_THREADS)

    def _places(self) -> list[range]:
        accelerator, params = self.task.accelerator, self.params
        return micro_batch_ranges(
            accelerator.process_index,
            accelerator.num_processes,
            params.effective_batch_size,
            params.micro_batch_size_as_number,
            params.settings_path,
        )

    def _step(self, batches: Iterator[DeviceBatch]) -> None:
        state, params = self.state, self.params
        step = state.step
        totals = self.task.accumulate(
            self._timer.waiting_for(islice(batches, len(self._places()))),
            len(self._places()),
            step,
        )
        if is_due(params.log_gradients_every, step + 1, self.last_step):
            self._log_gradients(step + 1)
        rate = learning_rate(params.learning_rate, step, self.last_step, state.plateau)
        self.records.add(step, self.task.update(totals, rate, step))
        state.step += 1
        self._unsaved = True
        self._timer.steps += 1
        if is_due(params.log_every, state.step, self.last_step):
            self._log_step(rate)
        self._call(self._callbacks.after_step, {})

    # What is due between steps

    def _run_due(self, stop: StopRequest) -> None:
        """Validate, visualise, save and pause, if due after `state.step` steps."""
        params, state, last_step = self.params, self.state, self.last_step
        stopping = stop()
        if not stopping and validation_is_due(params, state, last_step):
            # A time limit shorter than a validation must not stop every attempt at it.
            stopping = not self._validate(lambda: stop(heeds_time=self._unsaved))
        if not stopping and visualisation_is_due(params, state, last_step):
            self._visualise()
        if self._unsaved and (
            stopping or checkpoint_is_due(params, state, last_step) or self._minutes_have_passed()
        ):
            self._save(stopping)
        if stopping:
            self._wait_for_the_checkpoint(stopping)
        is_work_left = (
            not is_finished(state, last_step)
            or validation_is_due(params, state, last_step)
            or visualisation_is_due(params, state, last_step)
        )
        if stopping and is_work_left:
            reason = stop.reason or "another process"
            logger.info(
                "%s: paused by %s after step %d; run again to resume",
                self._name,
                reason,
                state.step,
            )
            raise Paused

    def _minutes_have_passed(self) -> bool:
        """Whether `checkpoints.every_minutes` have passed by the main process's clock."""
        if not self._since_checkpoint.is_set:
            return False
        accelerator = self.task.accelerator
        passed = accelerator.is_main_process and self._since_checkpoint.passed()
        return any_process(accelerator, passed)

    def _validate(self, stop: Callable[[], bool]) -> bool:
        """Score the weights, and rank the checkpoint; False if it was asked to stop on the way."""
        try:
            scores = self.task.validate(stop)
        except NotFiniteError as error:
            raise ProjectError(
                f"{self._name}: validation after step {self.state.step}: {error}"
            ) from error
        if scores is None:
            return False
        state, params = self.state, self.params
        name, higher_is_better = self.task.metric
        value = scores[name]
        state.validated, self._unsaved = state.step, True
        candidates = [*state.best, (state.step, value)]
        state.best = ranked(candidates, higher_is_better)[: params.checkpoints.keep_best]
        if counts_for_plateau(params, state.step):
            state.plateau = after_validation(
                state.plateau, value, higher_is_better, params.learning_rate.plateau
            )
        self.log.add(state.step, "validation", scores)
        shown = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
        logger.info("%s: validation after step %d: %s", self._name, state.step, shown)
        self._call(self._callbacks.after_validation, scores)
        return True

    def _visualise(self) -> None:
        """Write a grid of samples as PNG and to the trackers; only the main process makes it.

        At the end of the training, all grids become an animation.
        """
        state, accelerator = self.state, self.task.accelerator
        state.visualised, self._unsaved = state.step, True

        def show() -> None:
            image = self.task.picture()
            track_image(accelerator, "validation/samples", image, state.step)
            folder = self.store.folder / "samples"
            write_png(folder / f"step-{state.step:08d}.png", image)
            if is_finished(state, self.last_step):
                frames = {
                    f"step {int(frame.stem.removeprefix('step-'))}": frame
                    for frame in sorted(folder.glob("step-*.png"))
                }
                write_animation(folder / "course.gif", frames, _FRAME_SECONDS)

        run_on_main_and_broadcast(accelerator, show)

    def _call(self, callbacks: tuple[Callback, ...], scores: Mapping[str, float]) -> None:
        """Call the user's functions in the main process, with values that they cannot change."""
        if not callbacks:
            return
        step = self.state.step
        progress = Progress(
            self._name,
            step,
            self.last_step,
            step * self.params.effective_batch_size / len(self.task),
            MappingProxyType(dict(self._logged)),
            MappingProxyType(dict(scores)),
        )

        def call() -> None:
            for callback in callbacks:
                callback(progress)

        run_on_main_and_broadcast(self.task.accelerator, call)

    # Log and checkpoint

    def _read_records(self) -> None:
        """Wait for the results so far; count the skipped steps and name their samples."""
        state = self.state
        for record in self.records.read():
            state.skipped_in_a_row = state.skipped_in_a_row + 1 if record.skipped else 0
            if not record.skipped:
                continue
            state.skipped += 1
            logger.warning(
                "%s: step %d skipped: loss %g, gradient norm %g; samples: %s",
                self._name,
                record.step,
                record.loss,
                record.grad_norm,
                ", ".join(self.task.sample_ids(record.step)),
            )
            if state.skipped_in_a_row >= self.params.max_skipped_in_a_row:
                raise ProjectError(
                    f"{self._name}: the loss or gradient was not finite in "
                    f"{state.skipped_in_a_row} consecutive steps, up to step {record.step}; lower "
                    f"{self.params.settings_path}.learning_rate.peak"
                )

    def _log_step(self, rate: float) -> None:
        self._read_records()
        state, params = self.state, self.params
        scalars = summary(self.records.take(), self.task.part_names) | {
            "learning_rate": rate,
            "ema_decay": ema_decay(params.ema, state.step - 1),
            "epoch": state.step * params.effective_batch_size / len(self.task),
            "skipped_steps": float(state.skipped),
            **self.task.scalars(state.step),
        }
        usage = self._timer.restart(params.effective_batch_size) | {
            "peak_memory_gib": peak_memory(self.task.accelerator.device) / 2**30
        }
        self.log.add(state.step, "training", scalars)
        self.log.add(state.step, "usage", usage)
        self._logged = scalars
        self._status = (
            f"loss {scalars.get('loss', math.nan):.4g}, "
            f"{usage['samples_per_second']:.4g} samples/s, "
            f"{usage['peak_memory_gib']:.2f} GiB"
        )

    def _log_gradients(self, step: int) -> None:
        scaler = self.task.accelerator.scaler
        rows = largest_gradients(self.task.trained, scaler.get_scale() if scaler else 1.0)
        lines = [f"{norm:.4g}  {name}" for name, norm in rows]
        logger.info("%s: largest gradients at step %d:\n%s", self._name, step, "\n".join(lines))
        track_text(self.task.accelerator, "run/largest_gradients", "\n".join(lines), step)

    def _save(self, stopping: bool) -> None:
        self._read_records()
        self.state.pending = self.records.state()
        self._unsaved = False
        self._since_checkpoint.restart()

        def begin() -> None:
            snapshot = Snapshot.of(self.state, self.task.tensors(), self.config, self.log.table())
            best = [step for step, _ in self.state.best]
            self._writer.write(self.state.step, snapshot, best, stopping)

        run_on_main_and_broadcast(self.task.accelerator, begin)

    def _wait_for_the_checkpoint(self, stopping: bool = False) -> None:
        run_on_main_and_broadcast(self.task.accelerator, lambda: self._writer.finish(stopping))
