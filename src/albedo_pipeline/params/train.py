"""Settings of `train`."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.base import Device, Params, Precision
from albedo_pipeline.params.denoiser import Lora, NoiseSchedule, PretrainedDenoiser, ScratchDenoiser
from albedo_pipeline.params.optimisation import (
    CheckpointSchedule,
    Ema,
    Execution,
    LearningRate,
    Loss,
    Noise,
    Optimiser,
    Validation,
    Visualisation,
)

# What may differ when a run is continued: it changes when a thing happens, or how fast.
_NEUTRAL = (
    "micro_batch_size",
    "max_steps",
    "max_epochs",
    "exit_after_minutes",
    "device",
    "execution",
    "max_skipped_in_a_row",
    "log_every",
    "log_gradients_every",
    "checkpoints",
    "validation",
    "visualisation",
    "weights_and_biases",
    "output",
    "on_mismatch",
    "on_code_change",
)


class TrainParams(Params):
    """How the denoiser is trained."""

    seed: int = Field(2024, ge=0, lt=2**63)
    source: Literal["scratch", "pretrained"] = "scratch"
    scratch: ScratchDenoiser = ScratchDenoiser()
    pretrained: PretrainedDenoiser | None = None
    lora: Lora | None = None
    """Train adapters only; null: the whole UNet."""
    noise_schedule: NoiseSchedule = NoiseSchedule()
    noise: Noise = Noise()
    loss: Loss = Loss()
    mixture: dict[str, Annotated[float, Field(gt=0)]] = Field({"latents": 1.0}, min_length=1)
    """Shares of the latent sets in every batch, by name: `latents`, and those of the catalog's
    `more_latents`. They are divided by their sum."""
    flip_probability: float = Field(0.5, ge=0, le=1)
    effective_batch_size: int = Field(ge=1)
    """Samples of one optimiser step."""
    micro_batch_size: int = Field(ge=1)
    """Samples that one process has in memory at a time, at most; does not change the result."""
    max_steps: int | None = Field(None, ge=1)
    """Optimiser steps; null: `max_epochs` alone ends the training."""
    max_epochs: float | None = Field(None, gt=0)
    """Passes over the training samples."""
    exit_after_minutes: float | None = Field(None, gt=0)
    """Pause (exit code 75) after this long."""
    optimiser: Optimiser = Optimiser()
    learning_rate: LearningRate
    max_grad_norm: float = Field(1.0, gt=0)
    max_skipped_in_a_row: int = Field(20, ge=1)
    """Steps without a finite loss and gradient that are skipped before the run stops."""
    ema: Ema = Ema()
    precision: Precision = "bf16"
    """Of the forward pass; weights are fp32. fp16 needs a GPU."""
    device: Device = "auto"
    execution: Execution = Execution()
    log_every: int = Field(10, ge=1)
    """Optimiser steps between two log points; the loss is their mean."""
    log_gradients_every: int | None = Field(None, ge=1)
    """Optimiser steps between two tables of the largest gradients; null: never."""
    checkpoints: CheckpointSchedule = CheckpointSchedule()
    validation: Validation = Validation()
    visualisation: Visualisation = Visualisation()
    weights_and_biases: str | None = None
    """Name of a Weights & Biases project; null: nothing is sent."""
    output: Literal["last", "best"] = "last"
    """Which checkpoint's EMA weights become the denoiser."""
    on_mismatch: Literal["stop", "restart"] = "stop"
    """Where checkpoints of other settings lie: `restart` keeps them aside and begins anew."""
    on_code_change: Literal["continue", "restart"] = "continue"
    """Where checkpoints of other code of this project lie: `restart` keeps them aside and begins
    anew."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.effective_batch_size % self.micro_batch_size:
            raise ValueError(
                f"effective_batch_size ({self.effective_batch_size}) must be a multiple of "
                f"micro_batch_size ({self.micro_batch_size})"
            )
        if self.source == "pretrained" and self.pretrained is None:
            raise ValueError("source 'pretrained' needs the key 'pretrained'")
        if self.max_steps is None and self.max_epochs is None:
            raise ValueError("one of max_steps and max_epochs is needed")
        if self.validation.every is None and self.learning_rate.decay == "plateau":
            raise ValueError("learning_rate.decay 'plateau' needs validation.every")
        if self.validation.every is None and self.output == "best":
            raise ValueError("output 'best' needs validation.every")
        if self.output == "best" and not self.checkpoints.keep_best:
            raise ValueError("output 'best' needs checkpoints.keep_best of at least 1")
        return self

    def last_step(self, samples: int) -> int:
        """Optimiser steps of the whole training, with `samples` in an epoch."""
        limits = [self.max_steps or math.inf]
        if self.max_epochs is not None:
            limits.append(math.ceil(self.max_epochs * samples / self.effective_batch_size))
        return int(max(1, min(limits)))

    def shares(self) -> dict[str, float]:
        """Share of each latent set, by name, in the order of the names."""
        total = sum(self.mixture.values())
        return {name: self.mixture[name] / total for name in sorted(self.mixture)}

    def result_settings(self, last_step: int) -> dict[str, Any]:
        """The settings that the weights at a step depend on, by dotted key."""
        settings = self.model_dump(mode="json")
        kept = {key: value for key, value in settings.items() if key not in _NEUTRAL}
        rate = kept["learning_rate"]
        if rate["decay"] == "plateau":
            kept["validation"] = settings["validation"]
        else:
            del rate["plateau"]
        if rate["decay"] in ("exponential", "cosine"):
            rate["decay_steps"] = rate["decay_steps"] or last_step
        else:
            del rate["decay_steps"], rate["final_ratio"]
        if self.noise.kind == "gaussian":
            kept["noise"] = {"kind": "gaussian"}
        if self.loss.kind != "huber":
            del kept["loss"]["huber_delta"]
        del kept["ema"]["decay" if self.ema.profile == "power" else "relative_width"]
        del kept["scratch" if self.source == "pretrained" else "pretrained"]
        return flat(kept)


def flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted keys; lists stay whole."""
    items: dict[str, Any] = {}
    for key, value in settings.items():
        nested = isinstance(value, dict)
        items |= flat(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return items
