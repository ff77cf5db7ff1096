"""Settings of `train`."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from albedo_pipeline.params.base import Device, Params, Precision
from albedo_pipeline.params.denoiser import Lora, NoiseSchedule, PretrainedDenoiser, ScratchDenoiser
from albedo_pipeline.params.end_to_end import Augmentation, DecoderTraining, EndToEnd
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

# These change when something happens, or how fast, but not the weights at a step.
_MAY_DIFFER_ON_RESUME = (
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


def _check_micro_batch_size(value: Any) -> Any:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if value != "auto" and not is_count:
        raise ValueError(f"must be a whole number of at least 1, or auto (got {value!r})")
    return value


_WITHOUT_EFFECT = {
    "diffusion": ("end_to_end", "train_decoder"),
    "end_to_end": ("loss", "noise"),
}
"""Settings of the other objective, by objective."""


class TrainParams(Params):
    """How the denoiser is trained."""

    seed: int = Field(2024, ge=0, lt=2**63)
    """Seed of everything random in the training: sample order, flips, timesteps, noise, and the
    weights of a model from scratch."""
    objective: Literal["diffusion", "end_to_end"] = "diffusion"
    """What is trained: the masked loss in latent space at random timesteps (`diffusion`), or one
    step at the last timestep with the loss on decoded pixels (`end_to_end`, Garcia et al. 2024)."""
    source: Literal["scratch", "pretrained"] = "scratch"
    """Where the denoiser comes from: random weights (`scratch`), or a model (`pretrained`)."""
    scratch: ScratchDenoiser = ScratchDenoiser()
    """Size of the UNet; only for source `scratch`."""
    pretrained: PretrainedDenoiser | None = None
    """Model to begin with; source `pretrained` needs it."""
    start_from: str | None = None
    """Denoiser whose UNet the training begins with: a folder such as a copy of
    `data/06_models/denoiser`, an exported folder, or `bundled`, the estimator that ships with the
    package; null: as `source` says."""
    lora: Lora | None = None
    """Low-rank adapters, which are trained in place of the UNet; null: the UNet itself is
    trained."""
    noise_schedule: NoiseSchedule = NoiseSchedule()
    """The noise of the diffusion process."""
    noise: Noise = Noise()
    """The noise that is added to albedo latents; only for the objective `diffusion`."""
    loss: Loss = Loss()
    """The loss of the objective `diffusion`."""
    end_to_end: EndToEnd = EndToEnd()
    """The loss of the objective `end_to_end`."""
    train_decoder: DecoderTraining | None = None
    """Trains the autoencoder's decoder along, for albedo alone; null: it stays as it is. Only for
    the objective `end_to_end`. The encoder never changes, so stored latents stay valid."""
    mixture: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        {"latents": 1.0}, min_length=1
    )
    """Shares of the latent sets in every batch, by name: `latents`, and the sets of the catalog's
    entry `more_latents`. The shares are divided by their sum."""
    flip_probability: float = Field(0.5, ge=0, le=1)
    """Probability that a sample is flipped left to right."""
    augmentation: Augmentation = Augmentation()
    """Random changes of the samples, besides the flip."""
    effective_batch_size: int = Field(ge=1)
    """Number of samples in one optimiser step, over all processes."""
    micro_batch_size: Annotated[int | Literal["auto"], BeforeValidator(_check_micro_batch_size)]
    """Largest number of samples that a process computes at a time; a divisor of
    `effective_batch_size`. `auto` takes the largest that fits into the free memory of the device
    when the training starts. It does not change the result."""
    max_steps: int | None = Field(None, ge=1)
    """Optimiser steps after which the training ends; null: `max_epochs` alone ends it."""
    max_epochs: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Passes over the training samples after which the training ends; null: `max_steps` alone ends
    it."""
    exit_after_minutes: float | None = Field(None, gt=0)
    """Minutes after which the training pauses with exit code 75; null: it does not pause."""
    optimiser: Optimiser = Optimiser()
    """The optimiser."""
    learning_rate: LearningRate
    """The learning rate."""
    max_grad_norm: float = Field(1.0, gt=0)
    """Norm to which larger gradients are clipped."""
    max_skipped_in_a_row: int = Field(20, ge=1)
    """Number of steps in a row that are skipped, because loss or gradient is not finite, before the
    run stops."""
    ema: Ema = Ema()
    """The moving average of the weights."""
    precision: Precision = "bf16"
    """Number format of the forward pass; weights are always fp32. fp16 needs a GPU."""
    device: Device = "auto"
    """Where the denoiser is trained; `auto` takes a GPU if there is one."""
    execution: Execution = Execution()
    """How the steps are computed."""
    log_every: int = Field(10, ge=1)
    """Optimiser steps between two rows of the log, which has the mean loss of these steps."""
    log_gradients_every: int | None = Field(None, ge=1)
    """Optimiser steps between two tables of the largest gradients; null: no tables."""
    checkpoints: CheckpointSchedule = CheckpointSchedule()
    """When checkpoints are written, and which of them are kept."""
    validation: Validation = Validation()
    """When and how validation samples are predicted and scored."""
    visualisation: Visualisation = Visualisation()
    """When validation samples are shown as images."""
    weights_and_biases: str | None = None
    """Name of the Weights & Biases project that the log is sent to; null: nothing is sent."""
    output: Literal["last", "best"] = "last"
    """Which checkpoint's averaged (EMA) weights become the denoiser."""
    on_mismatch: Literal["stop", "restart"] = "stop"
    """What happens if there are checkpoints that were trained with other settings: `stop` stops the
    run with an error, `restart` moves them aside and trains from step 0."""
    on_code_change: Literal["continue", "restart"] = "continue"
    """What happens if there are checkpoints that were trained with other code of this project:
    `continue` resumes from them, `restart` moves them aside and trains from step 0."""

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        size = self.micro_batch_size
        if size != "auto" and self.effective_batch_size % size:
            raise ValueError(
                f"effective_batch_size ({self.effective_batch_size}) must be a multiple of "
                f"micro_batch_size ({size})"
            )
        if self.source == "pretrained" and self.pretrained is None:
            raise ValueError("source 'pretrained' needs the key 'pretrained'")
        if self.max_steps is None and self.max_epochs is None:
            raise ValueError("set max_steps, max_epochs, or both")
        if self.validation.every is None and self.learning_rate.decay == "plateau":
            raise ValueError("learning_rate.decay 'plateau' needs validation.every")
        if self.validation.every is None and self.output == "best":
            raise ValueError("output 'best' needs validation.every")
        if self.output == "best" and not self.checkpoints.keep_best:
            raise ValueError("output 'best' needs checkpoints.keep_best of at least 1")
        if self.objective == "end_to_end":
            self._one_step_settings_agree()
        elif self.train_decoder is not None:
            raise ValueError("train_decoder needs objective 'end_to_end'")
        return self

    def _one_step_settings_agree(self) -> None:
        if self.noise_schedule.prediction_type == "epsilon":
            raise ValueError(
                "noise_schedule.prediction_type 'epsilon' says nothing about the image at the last "
                "timestep; objective 'end_to_end' needs 'v_prediction' or 'sample'"
            )
        loss = self.end_to_end
        if self.train_decoder is not None and (loss.decode_from_step or not loss.decodes):
            raise ValueError(
                "train_decoder needs end_to_end.decode_from_step 0 and a loss of decoded pixels"
            )
        size = self.micro_batch_size
        if self.has_light_pairs and size != "auto" and size % 2:
            raise ValueError("end_to_end.constancy_weight needs an even micro_batch_size")
        if self.validation.steps not in (None, 1):
            raise ValueError("objective 'end_to_end' predicts in one step: validation.steps is 1")
        if self.validation.ensemble.kind == "noise" and self.validation.ensemble.members > 1:
            raise ValueError(
                "objective 'end_to_end' ignores the noise: validation.ensemble.kind must be "
                "'augmentation'"
            )
        if self.lora and any(name.endswith("conv_in") for name in self.lora.target_modules):
            raise ValueError(
                "lora.target_modules: an adapter of conv_in would let the noise in; name conv_in "
                "in lora.train_also"
            )

    @property
    def micro_batch_size_as_number(self) -> int:
        """The size of a micro-batch, after the training has put a number in the place of `auto`."""
        assert self.micro_batch_size != "auto"
        return self.micro_batch_size

    @property
    def has_light_pairs(self) -> bool:
        """Whether every second sample shows the scene of the one before under another light."""
        return self.objective == "end_to_end" and self.end_to_end.constancy_weight > 0

    @property
    def needs_pixels(self) -> bool:
        """Whether the training reads images, not only latents."""
        return self.objective == "end_to_end" or self.augmentation.needs_pixels

    def last_step(self, samples: int) -> int:
        """Number of optimiser steps of the training if an epoch has `samples` samples."""
        limits = [self.max_steps or math.inf]
        if self.max_epochs is not None:
            limits.append(math.ceil(self.max_epochs * samples / self.effective_batch_size))
        return int(max(1, min(limits)))

    def shares(self) -> dict[str, float]:
        """Share of each latent set by name, sorted by name; their sum is 1."""
        total = sum(self.mixture.values())
        return {name: self.mixture[name] / total for name in sorted(self.mixture)}

    def result_settings(self, last_step: int) -> dict[str, Any]:
        """The settings that decide the weights at each step, by dotted key.

        Settings without effect are left out, such as `huber_delta` for the loss `mse`, so that a
        run can be resumed if they differ.
        """
        settings = self.model_dump(mode="json")
        kept = {key: value for key, value in settings.items() if key not in _MAY_DIFFER_ON_RESUME}
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
        if self.start_from is not None:  # its digest stands for it; see `resume.configuration`
            kept = {key: kept[key] for key in kept.keys() - {"source", "scratch", "pretrained"}}
        if self.objective == "end_to_end" and self.end_to_end.features:
            del kept["end_to_end"]["features"]["model"]  # its digest stands for it, too
        for key in ("start_from", *_WITHOUT_EFFECT[self.objective]):
            del kept[key]
        return flat(kept)


def weight_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Of a training's settings, as `train_settings.json` has them, those that decide the finished
    weights."""
    end = ("max_steps", "max_epochs", "output")
    return {k: v for k, v in settings.items() if k not in _MAY_DIFFER_ON_RESUME or k in end}


def flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one dictionary with dotted keys; lists are values."""
    items: dict[str, Any] = {}
    for key, value in settings.items():
        nested = isinstance(value, dict)
        items |= flat(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return items
