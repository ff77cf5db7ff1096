"""Where a training resumes: the newest checkpoint or a chosen one, with the same settings or with
others that are adopted on purpose."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from albedo_pipeline.artifacts.checkpoints import Checkpoints, read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.training_loop import TrainingLoop
from albedo_pipeline.runtime.checksums import damage
from albedo_pipeline.training.resume import (
    CONFIGURATION,
    OPTIMISER_FILE,
    Steering,
    TrainState,
    stored_state,
)
from albedo_pipeline.training.schedules import PlateauState

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResumePoint:
    """The checkpoint that a training goes on from, and what is new from there on."""

    checkpoint: Path
    steering: Steering | None = None
    """The change of course; None if the training goes on as it was."""
    new_run: str | None = None
    """Name of the run in the trackers if a chosen checkpoint begins one; None: the stored one."""
    kept_best: tuple[int, ...] = ()
    """Steps of the best checkpoints that are still there; only if `new_run` is set."""


def resume_point(
    store: Checkpoints, params: TrainingLoop, config: dict[str, Any], run: str
) -> ResumePoint | None:
    """Where to resume; None if the training starts from the beginning.

    What the training does not go on from is moved aside, never deleted. A training that was resumed
    from a chosen checkpoint goes on from its own newest one as long as settings and choice stay the
    same.

    Args:
        store: the checkpoints of this training.
        params: settings of the training.
        config: what `resume.configuration` returned.
        run: name of a run that begins now.

    Raises:
        ProjectError: if the chosen checkpoint is missing or damaged, or settings that change the
            result differ and cannot be adopted, or `on_mismatch` is `stop`.
    """
    newest = store.newest_undamaged(OPTIMISER_FILE)
    wanted = params.resume_from
    if wanted is None or (newest and _continues(newest, _source(store, wanted), config)):
        chosen, is_choice = newest, False
    else:
        chosen, is_choice = _chosen(store, params), True
    if chosen is None:
        return None
    stored = _configuration(chosen)
    changes = _changes(params.settings_path, stored["result_settings"], config["result_settings"])
    if changes and params.on_mismatch != "restart":
        _check_adoptable(chosen, params, changes)
    other_code = stored["code"] != config["code"] and params.on_code_change == "restart"
    if (changes and params.on_mismatch == "restart") or other_code:
        aside = store.move_aside()
        reason = "other settings" if changes else "other code"
        logger.info("%s: the earlier run (%s) is kept in %s", params.pipeline, reason, aside)
        return None
    if not changes and not is_choice:
        return ResumePoint(chosen)
    return _steered_point(store, params, chosen, changes, run if is_choice else None)


def steered(state: TrainState, point: ResumePoint) -> TrainState:
    """The state to go on with, after what is new at `point`."""
    steering = point.steering
    if steering is None:
        return state
    state = replace(state, history=[*state.history, steering])
    if any(".learning_rate." in key or ".validation." in key for key in steering.changes):
        state = replace(state, plateau=PlateauState())
    if point.new_run is None:
        return state
    best = [(step, value) for step, value in state.best if step in point.kept_best]
    return replace(state, run=point.new_run, best=best)


def _source(store: Checkpoints, wanted: int | str) -> Path:
    """Folder of the checkpoint that `resume_from` names."""
    return store.path(wanted) if isinstance(wanted, int) else Path(wanted)


def _name(store: Checkpoints, checkpoint: Path) -> str:
    """Name of a checkpoint in the history: without the folder if it is the store's own."""
    is_own = checkpoint.resolve().parent == store.folder.resolve()
    return checkpoint.name if is_own else str(checkpoint)


def _continues(newest: Path, source: Path, config: dict[str, Any]) -> bool:
    """Whether the newest checkpoint already goes on from `source` with the settings of `config`."""
    history = stored_state(newest).history
    names = (source.name, str(source))
    same = _configuration(newest)["result_settings"] == config["result_settings"]
    return same and bool(history) and history[-1].resumed_from in names


def _chosen(store: Checkpoints, params: TrainingLoop) -> Path:
    """The undamaged checkpoint that `resume_from` names.

    Raises:
        ProjectError: if it is missing, damaged, or without the optimiser's state.
    """
    wanted = params.resume_from
    assert wanted is not None
    folder, setting = _source(store, wanted), f"{params.settings_path}.resume_from"
    if not (folder / CONFIGURATION).is_file():
        there = ", ".join(map(str, store.steps())) or "none"
        raise ProjectError(
            f"{setting}: {folder} is no checkpoint; the steps of those in {store.folder}: {there}"
        )
    complaint = damage(folder)
    if complaint is not None:
        raise ProjectError(f"{setting}: {folder} is damaged ({complaint}); choose another one")
    if not (folder / OPTIMISER_FILE).exists():
        raise ProjectError(
            f"{setting}: {folder} has no {OPTIMISER_FILE}, which checkpoints.weights_only leaves "
            "out; choose another one"
        )
    return folder


def _configuration(checkpoint: Path) -> dict[str, Any]:
    stored = read_json(checkpoint, CONFIGURATION)
    if "result_settings" not in stored:
        raise ProjectError(
            f"{checkpoint}: from an earlier version of the project; move {checkpoint.parent} away"
        )
    return stored


def _check_adoptable(checkpoint: Path, params: TrainingLoop, changes: dict[str, list[Any]]) -> None:
    """
    Raises:
        ProjectError: if the settings that differ are not to be adopted, or cannot be.
    """
    path = params.settings_path
    fixed = {key: change for key, change in changes.items() if not _is_adoptable(key, params)}
    restart = (
        f"to keep it aside and start from the beginning, run with --params "
        f"{path}.on_mismatch=restart"
    )
    if params.on_mismatch == "stop":
        adopt = f"To go on from it with the new settings, use {path}.on_mismatch=adopt; "
        hint = restart[0].upper() + restart[1:] if fixed else adopt + restart
        raise ProjectError(f"{checkpoint}: made with other settings: {_named(changes)}. {hint}")
    if fixed:
        raise ProjectError(
            f"{checkpoint}: made with other settings that cannot be adopted, because its weights "
            f"do not fit them: {_named(fixed)}. Set them back, or {restart}"
        )


def _is_adoptable(key: str, params: TrainingLoop) -> bool:
    name = key.removeprefix(f"{params.settings_path}.")
    return any(name == known or name.startswith(f"{known}.") for known in params.adoptable)


def _steered_point(
    store: Checkpoints,
    params: TrainingLoop,
    chosen: Path,
    changes: dict[str, list[Any]],
    new_run: str | None,
) -> ResumePoint:
    """The resume point of a change of course; other checkpoints are moved aside."""
    step = stored_state(chosen).step
    if changes:
        logger.info("%s: adopted after step %d: %s", params.pipeline, step, _named(changes))
    name = _name(store, chosen)
    if new_run is not None:
        if name == chosen.name:
            aside = store.move_newer_aside(step)
        else:
            aside = store.move_aside() if store.steps() else None
        if aside is not None:
            logger.info("%s: the other checkpoints are kept in %s", params.pipeline, aside)
    return ResumePoint(chosen, Steering(step, name, changes), new_run, tuple(store.steps()))


def _named(changes: dict[str, list[Any]]) -> str:
    return "; ".join(f"{key}: {old!r} there, {new!r} here" for key, (old, new) in changes.items())


def _changes(path: str, stored: dict[str, Any], now: dict[str, Any]) -> dict[str, list[Any]]:
    """Stored and present value of each setting that differs, by dotted key, sorted."""
    return {
        f"{path}.{key}": [stored.get(key), now.get(key)]
        for key in sorted({*stored, *now})
        if stored.get(key) != now.get(key)
    }
