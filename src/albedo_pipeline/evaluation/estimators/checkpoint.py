"""The project's own denoiser, as the training left it or at one of its checkpoints."""

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file

from albedo_pipeline.artifacts.checkpoints import (
    AUTOENCODER,
    AVERAGES_FILE,
    CONFIGURATION,
    Checkpoints,
    read_json,
)
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.evaluation.estimators.base import Context
from albedo_pipeline.evaluation.estimators.network import NetworkEstimator, PredictionSettings
from albedo_pipeline.models.albedo_model import AlbedoModel
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params.evaluate import Checkpoint
from albedo_pipeline.runtime.checksums import damage


class Settings(PredictionSettings):
    """Which weights predict, and how."""

    checkpoint: Checkpoint = None
    """See `evaluate.checkpoint`."""


def load(settings: Settings, context: Context) -> NetworkEstimator:
    """Load the trained denoiser, with the averaged weights of the checkpoint.

    Raises:
        ProjectError: if there is no such checkpoint, or it is damaged.
    """
    denoiser, autoencoder = context.trained()
    origin: dict[str, object] = {"model": "the trained denoiser"}
    if settings.checkpoint is not None:
        folder = checkpoint_folder(context.checkpoints, settings.checkpoint)
        load_averages(folder, denoiser, autoencoder)
        origin = {"model": f"checkpoint {folder.name}"}
    return NetworkEstimator.opened(AlbedoModel(denoiser, autoencoder), settings, context, origin)


def checkpoint_folder(store: Checkpoints, checkpoint: str | int) -> Path:
    """Folder of the newest checkpoint, of the best one by validation, or of that of a step.

    Raises:
        ProjectError: if there is none, no kept one was validated, or it is damaged.
    """
    steps = store.steps()
    if not steps:
        raise ProjectError(f"checkpoint: {store.folder} has no checkpoint; run the pipeline train")
    step = checkpoint
    if checkpoint == "last":
        step = steps[-1]
    elif checkpoint == "best":
        ranked = read_json(store.path(steps[-1]), "state.json")["training"]["best"]
        kept = [number for number, _ in ranked if number in steps]
        if not kept:
            raise ProjectError(f"checkpoint: best: no checkpoint of {store.folder} was validated")
        step = kept[0]
    if step not in steps:
        known = ", ".join(map(str, steps))
        raise ProjectError(f"checkpoint: no step {step} in {store.folder}; it has {known}")
    folder = store.path(int(step))
    if reason := damage(folder):
        raise ProjectError(f"{folder}: damaged ({reason}); choose another checkpoint")
    return folder


@torch.no_grad()
def load_averages(folder: Path, denoiser: Denoiser, autoencoder: AutoencoderKL) -> None:
    """Replace the trained weights of both models by a checkpoint's moving averages.

    Raises:
        ProjectError: if the checkpoint is of another model, or of other latents.
    """
    settings = read_json(folder, CONFIGURATION)["result_settings"]
    latents = settings.get("data.latents"), denoiser.made_from.get("latents")
    weights = _named(denoiser, autoencoder)
    averages = {
        _own_name(name, denoiser.unet): t for name, t in load_file(folder / AVERAGES_FILE).items()
    }
    fits = all(name in weights and weights[name].shape == t.shape for name, t in averages.items())
    if not fits or (None not in latents and latents[0] != latents[1]):
        raise ProjectError(
            f"{folder}: not of the training that made the denoiser; run the pipeline train again"
        )
    for name, average in averages.items():
        weights[name].copy_(average)


def _named(denoiser: Denoiser, autoencoder: AutoencoderKL) -> dict[str, torch.nn.Parameter]:
    decoder = {AUTOENCODER + name: p for name, p in autoencoder.named_parameters()}
    return dict(denoiser.unet.named_parameters()) | decoder


def _own_name(name: str, unet: Any) -> str:
    """The name of a weight of an adapter, which has another number after it was loaded."""
    for adapter in getattr(unet, "peft_config", {}):
        name = name.replace(".default.", f".{adapter}.")
    return name
