"""What a checkpoint holds, taken from a training and given back to it."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from albedo_pipeline.datasets.checkpoints import read_json
from albedo_pipeline.models.ema import Ema
from albedo_pipeline.training.optimisation import Named, optimiser_tensors, restore_optimiser
from albedo_pipeline.training.schedules import PlateauState


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
