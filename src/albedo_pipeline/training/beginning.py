"""How a training begins: anew, or from the newest whole checkpoint."""

import hashlib
import logging
from pathlib import Path
from typing import Any

from albedo_pipeline.datasets.checkpoints import Checkpoints, read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params import TrainParams
from albedo_pipeline.training.optimisation import Named
from albedo_pipeline.training.record import code_digest
from albedo_pipeline.training.state import TrainState

logger = logging.getLogger(__name__)
CONFIGURATION = "config.json"


def configuration(
    params: TrainParams, last_step: int, latents: dict[str, str], frozen: str
) -> dict[str, Any]:
    """What travels in every checkpoint: the resolved settings, the code, and all that decides its
    weights, the digests of the latents and of what is not trained among them."""
    trajectory = params.trajectory(last_step) | {"frozen_weights": frozen}
    trajectory |= {f"data.{name}": fingerprint for name, fingerprint in latents.items()}
    settings = params.model_dump(mode="json")
    return {"trajectory": trajectory, "settings": settings, "code": code_digest()}


def frozen_digest(denoiser: Denoiser, trained: Named) -> str:
    """Digest of the weights that no checkpoint holds, because they are not trained."""
    digest = hashlib.sha256(denoiser.condition.numpy().tobytes())
    for name, weight in denoiser.unet.named_parameters():
        if name not in trained:
            digest.update(weight.detach().cpu().contiguous().numpy().data)
    return digest.hexdigest()[:16]


def checkpoint_to_continue(
    store: Checkpoints, params: TrainParams, config: dict[str, Any]
) -> Path | None:
    """The checkpoint to continue from; None where the training begins anew.

    Raises:
        ProjectError: where settings differ that change the result, and `on_mismatch` is `stop`.
    """
    checkpoint = store.newest_whole()
    if checkpoint is None:
        return None
    there = read_json(checkpoint, CONFIGURATION)
    differences = _differences(there["trajectory"], config["trajectory"])
    if differences and params.on_mismatch == "stop":
        raise ProjectError(
            f"{checkpoint}: was made with other settings: {'; '.join(differences)}. To begin anew "
            "and keep it aside: --params train.on_mismatch=restart"
        )
    other_code = there["code"] != config["code"] and params.on_code_change == "restart"
    if differences or other_code:
        why = "other settings" if differences else "other code"
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
