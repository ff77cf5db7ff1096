"""What a checkpoint holds, and how it is stored and restored."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from albedo_pipeline.artifacts.checkpoints import (
    AUTOENCODER,
    AVERAGES_FILE,
    CONFIGURATION,
    WEIGHTS_FILE,
    read_json,
)
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.models.ema import Ema
from albedo_pipeline.params.training_loop import TrainingLoop
from albedo_pipeline.provenance.code import code_digest
from albedo_pipeline.provenance.weights import tensors_digest
from albedo_pipeline.training.optimisation import Named, optimiser_tensors, restore_optimiser
from albedo_pipeline.training.schedules import PlateauState

OPTIMISER_FILE = "optimiser.safetensors"
"""File of a checkpoint with the optimiser's state."""


@dataclass(frozen=True)
class Steering:
    """A change of course: settings that were adopted, or a checkpoint that was chosen."""

    step: int
    """Number of optimiser steps done before it."""
    resumed_from: str
    """Checkpoint that the training went on from: its name, or its folder if it is another run's."""
    changes: dict[str, list[Any]]
    """Value before and after of each setting that changed, by dotted key."""


@dataclass
class TrainState:
    """Everything that a training must remember besides its tensors."""

    run: str
    """Name of the run in TensorBoard, Weights & Biases, log and record."""
    step: int = 0
    """Number of optimiser steps done."""
    validated: int | None = None
    """Step of the last complete validation."""
    visualised: int | None = None
    """Step of the last grid of samples."""
    skipped: int = 0
    """Number of steps skipped because their loss or gradient was not finite."""
    skipped_in_a_row: int = 0
    """Number of steps skipped since the last one that was not."""
    best: list[tuple[int, float]] = field(default_factory=list)
    """Step and validation metric of each of the best checkpoints, best first."""
    scoring: dict[str, Any] = field(default_factory=dict)
    """Validation settings that the metrics in `best` depend on."""
    plateau: PlateauState = field(default_factory=PlateauState)
    """State of the reduce-on-plateau schedule."""
    pending: list[list[float]] = field(default_factory=list)
    """Results of the steps since the last log point; see `log.StepRecords`."""
    history: list[Steering] = field(default_factory=list)
    """All changes of course so far, oldest first."""

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        """Restore a state from `asdict(state)` after a trip through JSON."""
        plateau = PlateauState(**stored["plateau"])
        best = [(step, value) for step, value in stored["best"]]
        history = [Steering(**item) for item in stored.get("history", [])]
        return cls(**stored | {"plateau": plateau, "best": best, "history": history})


@dataclass(frozen=True)
class Opponents:
    """The tensors of networks that are trained against others, under names of their own."""

    weights: Mapping[str, torch.Tensor]
    """Parameters, and everything else that they must remember."""
    trained: Named
    """The parameters, by name."""
    optimiser: torch.optim.Optimizer


@dataclass(frozen=True)
class Tensors:
    """The tensors of a training that a checkpoint stores."""

    trained: Named
    """The trained parameters, by name."""
    ema: Ema
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler | None
    opponents: Opponents | None = None
    """What is trained against `trained`; it has no average."""

    def copied(self) -> dict[str, dict[str, torch.Tensor]]:
        """Copies on the CPU by the name of their file, which the next step does not change."""
        weights: dict[str, torch.Tensor] = dict(self.trained.items())
        averages = dict(zip(weights, self.ema.shadows, strict=True))
        moments = optimiser_tensors(self.optimiser, self.trained)
        if self.opponents is not None:
            weights |= self.opponents.weights
            moments |= optimiser_tensors(self.opponents.optimiser, self.opponents.trained)
        files: dict[str, Mapping[str, torch.Tensor]] = {
            WEIGHTS_FILE: weights,
            AVERAGES_FILE: averages,
            OPTIMISER_FILE: moments,
        }
        return {
            file: {name: _copy(tensor) for name, tensor in tensors.items()}
            for file, tensors in files.items()
        }

    @torch.no_grad()
    def read(self, folder: Path) -> None:
        """Restore the tensors of a checkpoint, in place."""
        weights = load_file(folder / WEIGHTS_FILE)
        averages = load_file(folder / AVERAGES_FILE)
        for (name, tensor), shadow in zip(self.trained.items(), self.ema.shadows, strict=True):
            tensor.copy_(weights[name])
            shadow.copy_(averages[name])
        moments = load_file(folder / OPTIMISER_FILE)
        restore_optimiser(self.optimiser, self.trained, moments)
        if self.opponents is not None:
            for name, weight in self.opponents.weights.items():
                weight.copy_(weights[name])
            restore_optimiser(self.opponents.optimiser, self.opponents.trained, moments)


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    """A contiguous copy on the CPU."""
    tensor = tensor.detach()
    return (tensor.clone() if tensor.device.type == "cpu" else tensor.cpu()).contiguous()


def state_json(state: TrainState, scaler: torch.amp.GradScaler | None) -> dict[str, Any]:
    """Content of the file `state.json`."""
    return {"training": asdict(state), "scaler": scaler.state_dict() if scaler else None}


@dataclass(frozen=True)
class Snapshot:
    """Content of a checkpoint; nothing in it changes while the training goes on."""

    tensors: dict[str, dict[str, torch.Tensor]]
    """Tensors on the CPU, by file and name."""
    texts: dict[str, str]
    """Content of the other files, by their name."""
    log: pd.DataFrame

    @classmethod
    def of(
        cls, state: TrainState, tensors: Tensors, config: dict[str, Any], log: pd.DataFrame
    ) -> Self:
        """Copy everything that a checkpoint holds."""
        files = {"state.json": state_json(state, tensors.scaler), CONFIGURATION: config}
        texts = {name: json.dumps(content, indent=2) for name, content in files.items()}
        return cls(tensors.copied(), texts, log)

    def write(self, folder: Path) -> None:
        """Write the files into the folder of a checkpoint."""
        for name, tensors in self.tensors.items():
            save_file(tensors, folder / name)
        for name, text in self.texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        self.log.to_parquet(folder / "log.parquet")


def stored_state(checkpoint: Path) -> TrainState:
    """The state that a checkpoint stores."""
    return TrainState.of(read_json(checkpoint, "state.json")["training"])


def stored_log(checkpoint: Path) -> list[dict]:
    """Rows of the training log up to a checkpoint."""
    return pd.read_parquet(checkpoint / "log.parquet").to_dict("records")


def configuration(
    params: TrainingLoop, last_step: int, data: dict[str, str], weights: dict[str, str], module: str
) -> dict[str, Any]:
    """Content of a checkpoint's `config.json`: settings, code, and what decides the weights.

    Args:
        data: fingerprints of what is trained on, by name.
        weights: digests of weights that the checkpoint does not hold, by name.
        module: name of the module that trains.
    """
    result_settings = params.result_settings(last_step) | weights
    result_settings |= {f"data.{name}": fingerprint for name, fingerprint in data.items()}
    settings = params.model_dump(mode="json")
    return {"result_settings": result_settings, "settings": settings, "code": training_code(module)}


def training_code(module: str) -> str:
    """Digest of the code that a training runs through, from the module that trains."""
    return code_digest(module)


def frozen_digest(denoiser: Denoiser, trained: Named, autoencoder: nn.Module | None) -> str:
    """Digest of the weights that no checkpoint holds, because they are not trained.

    Args:
        denoiser: what is trained.
        trained: the trained parameters, by name.
        autoencoder: what encodes or decodes in the training step; None if nothing does.
    """
    named = [*denoiser.unet.named_parameters()]
    if autoencoder is not None:
        named += [(AUTOENCODER + name, p) for name, p in autoencoder.named_parameters()]
    frozen = ((name, weight) for name, weight in named if name not in trained)
    return tensors_digest([("text_embedding", denoiser.text_embedding), *frozen])
