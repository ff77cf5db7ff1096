"""Settings of noise, loss, optimiser, learning rate and weight averaging."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from albedo_pipeline.params.base import Params
from albedo_pipeline.params.sampling import Sampling

Decay = Annotated[float, Field(ge=0, lt=1)]


class Noise(Params):
    """What latents are mixed with."""

    kind: Literal["gaussian", "multi_resolution"] = "gaussian"
    strategy: Literal["original", "every_layer", "power_of_two", "random_step"] = "original"
    """Sizes of the coarser levels; `multi_resolution` only."""
    strength: float = Field(0.9, ge=0, le=1)
    """Weight of a level relative to the finer one before it."""
    annealed: bool = True
    """The strength falls with the timestep: s t / T."""


class Loss(Params):
    """Masked always; the mean over the valid cells of the effective batch."""

    kind: Literal["mse", "l1", "huber"] = "mse"
    huber_delta: float = Field(1.0, gt=0)
    """Error (in latent units) above which `huber` is linear."""
    min_snr_gamma: float | None = Field(None, gt=0)
    """Min-SNR weighting with this bound; null: every timestep counts the same."""


class ParameterGroup(Params):
    """Parameters with a learning rate of their own."""

    pattern: str
    """Regular expression, searched in the parameter's name; the first group that fits has it."""
    ratio: float = Field(ge=0)
    """Of the learning rate; 0 freezes."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression ({error})") from error
        return pattern


class Optimiser(Params):
    """Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019)."""

    name: Literal["adamw", "adam"] = "adamw"
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    weight_decay: float = Field(0.0, ge=0)
    groups: tuple[ParameterGroup, ...] = ()
    """Parameters that fit no pattern have ratio 1."""


class Plateau(Params):
    """Reductions of the learning rate when the validation metric no longer improves."""

    factor: float = Field(0.5, gt=0, lt=1)
    patience: int = Field(3, ge=0)
    """Validations without improvement that are let pass."""
    min_delta: float = Field(0.0, ge=0)
    """Improvement, in the metric's unit, that counts as one."""
    max_reductions: int = Field(3, ge=0)
    """The training ends where one more would follow."""


class LearningRate(Params):
    """Linear warm-up, then a decay; exponential and cosine reach `final_ratio`."""

    peak: float = Field(gt=0)
    warmup_steps: int = Field(100, ge=0)
    decay: Literal["constant", "exponential", "cosine", "plateau"] = "exponential"
    decay_steps: int | None = Field(None, ge=1)
    """Step at which `final_ratio` is reached, and kept; null: the last step."""
    final_ratio: float = Field(0.01, gt=0, le=1)
    plateau: Plateau = Plateau()


class Ema(Params):
    """The weights' moving average, which is validated and exported."""

    profile: Literal["constant", "power"] = "constant"
    decay: float = Field(0.999, ge=0, lt=1)
    """Of `constant`; it warms up with (1 + step) / (10 + step)."""
    relative_width: float = Field(0.1, gt=0, le=0.25)
    """Of `power`: standard deviation of the average, as a share of the training so far."""


class CheckpointSchedule(Params):
    """Which checkpoints are written, and which of them stay."""

    every: int = Field(500, ge=1)
    """Optimiser steps between two checkpoints."""
    keep_last: int = Field(2, ge=1)
    """Newest ones that stay."""
    keep_best: int = Field(1, ge=0)
    """Best ones, by the validation metric, that stay."""
    keep_every: int | None = Field(None, ge=1)
    """Steps of which every multiple is written and stays; null: none."""


class Validation(Sampling):
    """DDIM predictions of validation samples, scored in image space."""

    every: int | None = Field(None, ge=1)
    """Optimiser steps between two validations, and at the last step; null: never."""
    at_start: bool = False
    """Also before the first step."""
    split: Literal["validation", "train", "test"] = "validation"
    samples: int = Field(32, ge=1)
    """Samples, spread evenly over the split."""
    metric: str = "psnr"
    """Metric that decides which checkpoint is best, and whether the learning rate is on a plateau:
    any of the module `metrics.image` that needs no weights. PSNR and SSIM are always measured."""
    steps: int = Field(4, ge=1)
    """DDIM steps."""
    batch_size: int = Field(8, ge=1)
    """Samples that are predicted at a time."""


class Visualisation(Params):
    """A grid of validation samples: beauty, prediction, truth, error."""

    every: int | None = Field(None, ge=1)
    """Optimiser steps between two grids, and at the last step; null: never."""
    samples: int = Field(4, ge=1)


class Execution(Params):
    """How the steps are computed; none of it changes the result by more than rounding."""

    gradient_checkpointing: bool = False
    """Less memory for about a third more time."""
    channels_last: bool = False
    compile: bool = False
    """`torch.compile` of the UNet."""
    deterministic: bool = False
    """Only algorithms that always add in the same order; slower on a GPU, where a repeated or
    resumed run is bit-identical only so."""
