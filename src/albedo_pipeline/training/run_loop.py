"""From prepared components to the finished weights: what every training does around the loop."""

import logging
import time
from contextlib import ExitStack
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors.torch import load_file

from albedo_pipeline.artifacts.checkpoints import Checkpoints, read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.training_loop import TrainingLoop
from albedo_pipeline.provenance.git import git_diff
from albedo_pipeline.provenance.run_record import (
    record_end,
    record_text,
    run_record,
    write_record,
)
from albedo_pipeline.runtime.checksums import damage
from albedo_pipeline.runtime.distributed import run_on_main_and_broadcast
from albedo_pipeline.runtime.log_file import logging_to
from albedo_pipeline.runtime.remote_folder import send, sent_at_end
from albedo_pipeline.training.callbacks import Callbacks
from albedo_pipeline.training.log import TrainingLog, tag
from albedo_pipeline.training.resume import (
    AVERAGES_FILE,
    TrainState,
    stored_log,
    stored_state,
)
from albedo_pipeline.training.resume_point import ResumePoint, resume_point, steered
from albedo_pipeline.training.stopping import StopRequest
from albedo_pipeline.training.task import Task
from albedo_pipeline.training.trackers import start_trackers, track_settings, track_text
from albedo_pipeline.training.trainer import Trainer

logger = logging.getLogger(__name__)
DIVERGED = 1e4
"""Loss above which a training has diverged: latents and pixels have a standard deviation of about
1, so it is an error of 100 standard deviations."""


def run_loop(
    task: Task,
    params: TrainingLoop,
    store: Checkpoints,
    tensorboard: Path,
    config: dict[str, Any],
    fingerprints: dict[str, str],
    stop: StopRequest,
    held: ExitStack,
) -> tuple[TrainState, pd.DataFrame]:
    """Train to the end, or resume from the newest checkpoint; returns the last state and the log.

    Args:
        task: what is trained.
        params: settings of the training.
        store: folder of the checkpoints; it stays locked until `held` ends.
        tensorboard: folder of the TensorBoard runs.
        config: what `resume.configuration` returned.
        fingerprints: of what is trained on, by name.
        stop: says when to pause.
        held: holds the lock and the log file.

    Raises:
        Paused: if a signal or the time limit stopped it; run again to resume.
        ProjectError: if the settings do not fit the checkpoints, another training writes to the
            store, or a module of callbacks cannot be used.
    """
    callbacks, began = Callbacks.named_in(params), time.monotonic()
    accelerator, name = task.accelerator, params.pipeline
    run = f"{params.run_name or params.default_run_name}-{time.strftime('%Y%m%d-%H%M%S')}"
    point = run_on_main_and_broadcast(
        accelerator, lambda: _open_store(store, params, config, run, held)
    )
    state, rows = _restored(task, point, params, run)
    logger.info("%s: run %s", name, state.run)
    last_step = params.last_step(len(task))
    settings = params.result_settings(last_step) | {"max_steps": last_step}
    start_trackers(
        accelerator,
        tensorboard,
        state.run,
        state.step,
        params.weights_and_biases,
        settings,
        params.settings_path,
    )
    scores = [tag("validation", task.metric[0])] if params.validation.every else []
    track_settings(accelerator, settings, [*scores, tag("training", "loss")])
    record_file = None
    if accelerator.is_main_process:
        processes = accelerator.num_processes
        record = run_record(config["settings"], fingerprints, config["code"], processes)
        record["run"] = state.run
        record["last_step"] = params.last_step(len(task))
        record["history"] = [asdict(steering) for steering in state.history]
        record_file = write_record(store.folder, record, git_diff(Path.cwd()))
        track_text(accelerator, "run/record", record_text(record), state.step)
    log = TrainingLog(rows, lambda scalars, step: accelerator.log(scalars, step=step))
    with sent_at_end(lambda: send(tensorboard) if accelerator.is_main_process else None):
        try:
            Trainer(task, params, store, config, state, log, callbacks).run(stop)
        finally:
            for tracker in accelerator.trackers:
                tracker.finish()
            if record_file is not None:
                _end(record_file, params, state, time.monotonic() - began)
    return state, log.table()


def _open_store(
    store: Checkpoints, params: TrainingLoop, config: dict, run: str, held: ExitStack
) -> ResumePoint | None:
    """Lock the store for this training, log to a file in it, and return where it resumes."""
    held.enter_context(store.locked())
    point = resume_point(store, params, config, run)
    store.folder.mkdir(parents=True, exist_ok=True)
    held.enter_context(logging_to(store.folder / "log.txt"))
    return point


def _end(record_file: Path, params: TrainingLoop, state: TrainState, seconds: float) -> None:
    """Add the duration to the run's record, and log it beside that of all runs."""
    total = record_end(record_file, seconds)
    logger.info(
        "%s: step %d after %s in this run, %s in all runs",
        params.pipeline,
        state.step,
        *(timedelta(seconds=round(duration)) for duration in (seconds, total)),
    )


def _restored(
    task: Task, point: ResumePoint | None, params: TrainingLoop, run: str
) -> tuple[TrainState, list[dict]]:
    """State and log rows to start with; the tensors of `task` are restored."""
    scoring = task.scoring()
    if point is None:
        return TrainState(run=run, scoring=scoring), []
    checkpoint = point.checkpoint
    task.tensors().read(checkpoint)
    if task.accelerator.scaler is not None:
        task.accelerator.scaler.load_state_dict(read_json(checkpoint, "state.json")["scaler"])
    state = steered(stored_state(checkpoint), point)
    logger.info("%s: resuming from %s (step %d)", params.pipeline, checkpoint, state.step)
    if state.best and state.scoring != scoring:
        logger.warning(
            "%s: validation settings changed; earlier best checkpoints do not count",
            params.pipeline,
        )
        state.best, state.validated = [], None
    state.scoring = scoring
    return state, stored_log(checkpoint)


def check_not_diverged(log: pd.DataFrame, state: TrainState, params: TrainingLoop) -> None:
    """Check that the last weights, if they are the result, are not those of a diverged training.

    The weights of a diverged training may be finite, and without a validation nothing else looks at
    what they predict.

    Raises:
        ProjectError: if more than half of the steps were skipped because loss or gradient was not
            finite, or the mean loss at the last log point is above `DIVERGED`.
    """
    if params.output == "best":
        return
    losses = log["loss"].dropna().to_list() if "loss" in log else []
    if 2 * state.skipped > state.step:
        raise ProjectError(
            f"{params.pipeline}: the loss or gradient was not finite in {state.skipped} of "
            f"{state.step} steps; lower {params.settings_path}.learning_rate.peak, or remove the "
            "samples that the log names"
        )
    if losses and losses[-1] > DIVERGED:
        raise ProjectError(
            f"{params.pipeline}: diverged, the loss is {losses[-1]:.3g} at the end; lower "
            f"{params.settings_path}.learning_rate.peak"
        )


@torch.no_grad()
def finished_averages(
    task: Task, params: TrainingLoop, store: Checkpoints, state: TrainState
) -> dict[str, torch.Tensor]:
    """The averaged (EMA) weights that `params.output` names, by name.

    Raises:
        ProjectError: if a weight is not finite, or the best checkpoint is missing or damaged.
    """
    averages = dict(zip(task.trained, task.tensors().ema.shadows, strict=True))
    if params.output == "best":
        averages = _best_averages(params, store, state)
    for name in task.trained:
        if not averages[name].isfinite().all():
            raise ProjectError(
                f"{params.pipeline}: the weights are not finite ({name}); lower "
                f"{params.settings_path}.learning_rate.peak"
            )
    return averages


def _best_averages(
    params: TrainingLoop, store: Checkpoints, state: TrainState
) -> dict[str, torch.Tensor]:
    if not state.best:
        raise ProjectError(
            f"{params.settings_path}.output: no validated checkpoint was kept; use 'last'"
        )
    folder = store.path(state.best[0][0])
    complaint = damage(folder)
    if complaint is not None:
        raise ProjectError(f"{folder}: the best checkpoint is damaged ({complaint})")
    return load_file(folder / AVERAGES_FILE)
