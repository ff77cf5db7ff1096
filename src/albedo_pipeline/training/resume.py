"""What a checkpoint holds, and how a training resumes from the newest undamaged one."""

import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from albedo_pipeline.artifacts.checkpoints import Checkpoints, read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.models.ema import Ema
from albedo_pipeline.params import TrainParams
from albedo_pipeline.provenance.code import code_digest
from albedo_pipeline.provenance.weights import tensors_digest
from albedo_pipeline.training.optimisation import Named, optimiser_tensors, restore_optimiser
from albedo_pipeline.training.schedules import PlateauState

logger = logging.getLogger(__name__)
CONFIGURATION = "config.json"


@dataclass
class TrainState:
    """The numbers of a training; its tensors are the weights', the EMA's and the optimiser's."""

    run: str
    """Name of the run in TensorBoard."""
    step: int = 0
    """Optimiser steps that are done."""
    validated: int | None = None
    """Step of the last whole validation."""
    visualised: int | None = None
    skipped: int = 0
    """Steps left out for want of a finite loss and gradient."""
    skipped_in_a_row: int = 0
    best: list[tuple[int, float]] = field(default_factory=list)
    """Steps and validation metrics of the best checkpoints, best first."""
    scoring: dict[str, Any] = field(default_factory=dict)
    """Settings that those metrics depend on."""
    plateau: PlateauState = field(default_factory=PlateauState)
    pending: list[list[float]] = field(default_factory=list)
    """Results of the steps since the last log point."""

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        """From what `asdict` made, through JSON."""
        plateau = PlateauState(**stored["plateau"])
        best = [(step, value) for step, value in stored["best"]]
        return cls(**stored | {"plateau": plateau, "best": best})


@dataclass(frozen=True)
class Tensors:
    """Everything of a training that is stored as tensors."""

    trained: Named
    ema: Ema
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler | None

    def write(self, folder: Path) -> None:
        """One safetensors file each."""
        weights = dict(self.trained.items())
        averages = dict(zip(weights, self.ema.shadows, strict=True))
        state = optimiser_tensors(self.optimiser, self.trained)
        for name, tensors in (("weights", weights), ("ema", averages), ("optimiser", state)):
            save_file(
                {k: v.detach().cpu().contiguous() for k, v in tensors.items()},
                folder / f"{name}.safetensors",
            )

    @torch.no_grad()
    def read(self, folder: Path) -> None:
        """Give back what `write` wrote."""
        weights = load_file(folder / "weights.safetensors")
        averages = load_file(folder / "ema.safetensors")
        for (name, tensor), shadow in zip(self.trained.items(), self.ema.shadows, strict=True):
            tensor.copy_(weights[name])
            shadow.copy_(averages[name])
        restore_optimiser(self.optimiser, self.trained, load_file(folder / "optimiser.safetensors"))


def numbers(state: TrainState, scaler: torch.amp.GradScaler | None) -> dict[str, Any]:
    """Contents of `state.json`."""
    return {"training": asdict(state), "scaler": scaler.state_dict() if scaler else None}


def stored_state(checkpoint: Path) -> TrainState:
    """The numbers of a whole checkpoint."""
    return TrainState.of(read_json(checkpoint, "state.json")["training"])


def stored_log(checkpoint: Path) -> list[dict]:
    """Rows of the training log up to the checkpoint."""
    return pd.read_parquet(checkpoint / "log.parquet").to_dict("records")


def configuration(
    params: TrainParams, last_step: int, latents: dict[str, str], frozen: str
) -> dict[str, Any]:
    """What every checkpoint says of its training: settings, code, and all that decides its weights.

    Args:
        latents: fingerprints of the latent sets, by name.
        frozen: digest of the weights that are not trained; see `frozen_digest`.
    """
    result_settings = params.result_settings(last_step) | {"frozen_weights": frozen}
    result_settings |= {f"data.{name}": fingerprint for name, fingerprint in latents.items()}
    settings = params.model_dump(mode="json")
    return {"result_settings": result_settings, "settings": settings, "code": training_code()}


def training_code() -> str:
    """Digest of the code that a training runs through."""
    return code_digest("albedo_pipeline.training.denoiser")


def frozen_digest(denoiser: Denoiser, trained: Named) -> str:
    """Digest of the weights that no checkpoint holds, because they are not trained."""
    frozen = ((n, w) for n, w in denoiser.unet.named_parameters() if n not in trained)
    return tensors_digest([("text_embedding", denoiser.text_embedding), *frozen])


def checkpoint_to_continue(
    store: Checkpoints, params: TrainParams, config: dict[str, Any]
) -> Path | None:
    """The checkpoint to continue from; None where the training begins anew.

    Raises:
        ProjectError: where settings differ that change the result, and `on_mismatch` is `stop`.
    """
    checkpoint = store.newest_undamaged()
    if checkpoint is None:
        return None
    there = read_json(checkpoint, CONFIGURATION)
    differences = _differences(there["result_settings"], config["result_settings"])
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
