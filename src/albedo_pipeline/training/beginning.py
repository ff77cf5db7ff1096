"""How a training begins: anew, or from the newest whole checkpoint."""

import logging
from pathlib import Path
from typing import Any

from albedo_pipeline.datasets.checkpoints import Checkpoints, read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params import TrainParams
from albedo_pipeline.training.state import TrainState, stored_state

logger = logging.getLogger(__name__)
CONFIGURATION = "config.json"


def configuration(params: TrainParams, last_step: int, latents: dict[str, str]) -> dict[str, Any]:
    """What travels in every checkpoint: the resolved settings, and those that decide its weights,
    the data's fingerprints among them."""
    trajectory = params.trajectory(last_step)
    trajectory |= {f"data.{name}": fingerprint for name, fingerprint in latents.items()}
    return {"trajectory": trajectory, "settings": params.model_dump(mode="json")}


def checkpoint_to_continue(
    store: Checkpoints, params: TrainParams, config: dict[str, Any], last_step: int
) -> Path | None:
    """The checkpoint to continue from; None where the training begins anew.

    Raises:
        ProjectError: where settings differ that change the result, and `on_mismatch` is `stop`.
    """
    checkpoint = store.newest_whole()
    if checkpoint is None:
        return None
    there = read_json(checkpoint, CONFIGURATION)["trajectory"]
    differences = _differences(there, config["trajectory"])
    if differences and params.on_mismatch == "stop":
        raise ProjectError(
            f"{checkpoint}: was made with other settings: {'; '.join(differences)}. To begin anew "
            "and keep it aside: --params train.on_mismatch=restart"
        )
    finished = is_finished(stored_state(checkpoint), last_step)
    if differences or (finished and params.on_finished == "restart"):
        why = "other settings" if differences else "finished"
        logger.info("train: the run before (%s) is kept in %s", why, store.set_aside())
        return None
    return checkpoint


def is_finished(state: TrainState, last_step: int) -> bool:
    """Whether no step is left."""
    return state.step >= last_step or state.plateau.ended


def _differences(there: dict[str, Any], here: dict[str, Any]) -> list[str]:
    return [
        f"train.{key}: {there.get(key)!r} there, {here.get(key)!r} here"
        for key in sorted({*there, *here})
        if there.get(key) != here.get(key)
    ]
