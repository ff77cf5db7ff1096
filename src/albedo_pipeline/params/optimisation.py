"""Settings of noise, loss, optimiser, learning rate, averaging, checkpoints and validation."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from albedo_pipeline.params.base import OWN_SET, Params, Pattern
from albedo_pipeline.params.sampling import Sampling
from albedo_pipeline.params.varying import VaryingShare

Decay = Annotated[float, Field(ge=0, lt=1)]
"""Decay of a moving average, per optimiser step."""


class Noise(Params):
    """The noise that is added to albedo latents."""

    kind: Literal["gaussian", "multi_resolution"] = "gaussian"
    """White noise, or a sum of white noise and coarser noise (see `diffusion.noise`). The settings
    below are only for `multi_resolution`."""
    strategy: Literal["original", "every_layer", "power_of_two", "random_step"] = "original"
    """How the sizes of the coarser levels are chosen."""
    strength: VaryingShare = 0.9
    """Weight of a level relative to the finer one before it; 0 is white noise. It may change with
    the optimiser step: `[start_step, start, end, end_step]`."""
    first_level: Literal[0, 1] = 1
    """Number of the first coarser level, which is the exponent of its weight. With 0, as in
    Marigold's code, the first level of strategy `original` is as fine as the image, with weight 1
    at any strength; with 1, strength 0 gives white noise."""
    annealed: bool = True
    """Whether the strength s falls with the timestep t to s t / T."""


class Loss(Params):
    """The loss: the mean error over the valid cells of the effective batch."""

    kind: Literal["mse", "l1", "huber"] = "mse"
    """Squared error, absolute error, or Huber's mixture of both."""
    huber_delta: float = Field(1.0, gt=0)
    """Error above which `huber` is linear, in units of the latent."""
    min_snr_gamma: float | None = Field(None, gt=0)
    """Bound of the SNR in min-SNR weighting; null: all timesteps have the same weight."""


def _lower(name: Any) -> Any:
    return name.lower() if isinstance(name, str) else name


class ParameterGroup(Params):
    """Parameters with a learning rate or a weight decay of their own."""

    pattern: Pattern
    """Regular expression that is searched in the parameter's name. A parameter belongs to the first
    group whose pattern it matches."""
    ratio: float = Field(1.0, ge=0)
    """Factor of the learning rate; 0 freezes the parameters."""
    weight_decay: float | None = Field(None, ge=0)
    """Weight decay of these parameters; null: that of the optimiser."""


class Optimiser(Params):
    """A class of `torch.optim`, and its numbers."""

    name: Annotated[str, BeforeValidator(_lower)] = "adamw"
    """Class of `torch.optim`, in any case: `adamw` (Loshchilov & Hutter 2019), `adam` (Kingma & Ba
    2015), `sgd`, `radam`, and so on. On a GPU, all but these first two wait for each step."""
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    """Decays of the moving averages of the gradient and of its square; only for classes that have
    them."""
    eps: float | None = Field(None, gt=0)
    """Number that keeps a division from dividing by zero; null: the default of the class, 1e-8 for
    `adamw` and `adam`."""
    weight_decay: float = Field(0.0, ge=0)
    """Weight decay: decoupled from the gradient for `adamw`, an L2 penalty for `adam`."""
    options: dict[str, bool | int | float | tuple[float, ...]] = Field({})
    """Other arguments of the class by name, such as `momentum` of `sgd`."""
    groups: tuple[ParameterGroup, ...] = ()
    """Parameters with a learning rate or a weight decay of their own; all others have ratio 1."""

    def result_settings(self) -> dict[str, Any]:
        """The settings as plain values, without those that are null or empty: their absence says
        the same in the checkpoints of before they existed."""
        settings = self.model_dump(mode="json", exclude_none=True)
        return {key: value for key, value in settings.items() if key != "options" or value}


class Plateau(Params):
    """Reductions of the learning rate when the validation metric no longer improves."""

    factor: float = Field(0.5, gt=0, lt=1)
    """Factor of the learning rate at each reduction."""
    patience: int = Field(3, ge=0)
    """Number of validations without improvement that are accepted before a reduction."""
    min_delta: float = Field(0.0, ge=0)
    """Difference that the metric must exceed to count as an improvement, in the metric's unit."""
    max_reductions: int = Field(3, ge=0)
    """Number of reductions; the training ends when one more would follow."""


class LearningRate(Params):
    """The learning rate: a linear warm-up, then a decay."""

    peak: float = Field(gt=0)
    """Learning rate at the end of the warm-up."""
    warmup_steps: int = Field(100, ge=0)
    """Optimiser steps of the warm-up."""
    decay: Literal["constant", "exponential", "cosine", "plateau"] = "exponential"
    """How the learning rate falls after the warm-up: not at all, geometrically, along a half cosine
    or by reductions when the validation metric no longer improves."""
    decay_steps: int | None = Field(None, ge=1)
    """Optimiser step from which `exponential` and `cosine` stay at `final_ratio`; null: the last
    step of the training."""
    final_ratio: float = Field(0.01, gt=0, le=1)
    """Learning rate at the end of `exponential` and `cosine`, as a share of `peak`."""
    plateau: Plateau = Plateau()
    """Reductions of the learning rate; only for `plateau`."""


class Ema(Params):
    """The exponential moving average of the weights, which is validated and exported."""

    profile: Literal["constant", "power"] = "constant"
    """Whether the average covers a constant number of steps, or a constant share of the training so
    far (Karras et al. 2024)."""
    decay: float = Field(0.999, ge=0, lt=1)
    """Decay per optimiser step for `constant`; at most (1 + step) / (10 + step) as a warm-up."""
    relative_width: float = Field(0.1, gt=0, le=0.25)
    """Standard deviation of the averaged steps for `power`, as a share of all steps so far."""


class CheckpointSchedule(Params):
    """When checkpoints are written, and which of them are kept."""

    every: int = Field(500, ge=1)
    """Optimiser steps between two checkpoints."""
    every_minutes: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Minutes since the last checkpoint after which the next step writes one, besides those of
    `every`; null: no such checkpoints. They do not change the result."""
    keep_last: int = Field(2, ge=1)
    """Number of newest checkpoints that are kept."""
    keep_best: int = Field(1, ge=0)
    """Number of best checkpoints, by the validation metric, that are kept."""
    keep_every: int | None = Field(None, ge=1)
    """Optimiser steps between two checkpoints that are never deleted; null: no such
    checkpoints."""
    weights_only: bool = False
    """Whether the checkpoints that `keep_best` and `keep_every` keep lose the optimiser's state,
    which is half of their size. No training can resume from these; the `keep_last` newest stay
    complete."""


class ValidationSchedule(Params):
    """When validation samples are scored, and which."""

    every: int | None = Field(None, ge=1)
    """Optimiser steps between two validations, with one more at the last step; null: none."""
    at_start: bool = False
    """Whether there is also a validation before the first step."""
    split: Literal["validation", "train", "test"] = "validation"
    """Split that the samples are taken from."""
    samples: int = Field(32, ge=1)
    """Samples, spread evenly over the split."""
    metric: str = "psnr"
    """Metric that decides which checkpoint is best, and whether the learning rate is on a
    plateau."""
    batch_size: int = Field(8, ge=1)
    """Number of samples that are predicted at a time."""

    def result_settings(self) -> dict[str, Any]:
        """The settings as plain values."""
        return self.model_dump(mode="json")

    def scoring_settings(self) -> dict[str, Any]:
        """The settings that a score depends on, as plain values."""
        schedule = ("every", "at_start", "batch_size")
        return {k: v for k, v in self.result_settings().items() if k not in schedule}


class Validation(ValidationSchedule, Sampling):
    """DDIM predictions of validation samples, scored in image space."""

    sets: tuple[str, ...] = Field((OWN_SET,), min_length=1)
    """Sets that are validated on: `pairs`, the project's own pairs, and names of the catalog's
    entry `more_pairs`. The first one decides which checkpoint is best, and whether the learning
    rate is on a plateau; the scores of the others are logged."""
    metric: str = "psnr"
    """Metric that decides which checkpoint is best, and whether the learning rate is on a plateau:
    any of the module `metrics.image`, or the dotted path of a `Metric` of yours, such as
    `my_metrics.LARGEST_ERROR`. PSNR and SSIM are always measured."""
    lpips_weights: Path | None = None
    """Safetensors file with the weights of LPIPS, for the metrics that need them; see
    `evaluate.lpips_weights`."""
    batch_size: int = Field(8, ge=1)
    """Number of samples that are predicted at a time."""

    @field_validator("sets")
    @classmethod
    def _each_set_once(cls, sets: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(sets)) < len(sets):
            raise ValueError(f"names a set twice (got {', '.join(sets)})")
        return sets

    def result_settings(self) -> dict[str, Any]:
        """The settings as plain values, without the sets that decide nothing.

        The sets are left out if they are the default: their absence says the same in the
        checkpoints of before they existed. The path of the weights is left out, because the digest
        of their content counts, which the training adds.
        """
        settings = super().result_settings()
        del settings["sets"], settings["lpips_weights"]
        return settings if self.sets[0] == OWN_SET else settings | {"sets": self.sets[0]}


class Visualisation(Params):
    """A grid of images of validation samples: beauty, prediction, true albedo, and error."""

    every: int | None = Field(None, ge=1)
    """Optimiser steps between two grids, with one more at the last step; null: none."""
    samples: int = Field(4, ge=1)
    """Number of samples in the grid."""


class WeightsAndBiases(Params):
    """Where the log of a training is sent to in Weights & Biases."""

    project: str = Field(min_length=1)
    """Name of the project."""
    entity: str | None = None
    """User or team that the project belongs to; null: your default one."""


class Profile(Params):
    """Which optimiser steps are profiled. The result stays the same."""

    start: int = Field(10, ge=0)
    """Number of the first profiled step (0-based); the first steps are slower than the others."""
    steps: int = Field(3, ge=1)
    """Number of profiled steps."""


class Execution(Params):
    """How the steps are computed. These settings change the result by no more than rounding."""

    gradient_checkpointing: bool = False
    """Whether activations are computed again in the backward pass; this takes less memory and about
    a third more time."""
    channels_last: bool = False
    """Whether the UNet uses the memory format `torch.channels_last`."""
    compile: bool = False
    """Whether `torch.compile` compiles the UNet."""
    deterministic: bool = False
    """Whether only algorithms are used that always add in the same order. On a GPU they are slower,
    but without them a repeated or resumed run is not bit-identical."""
    profile: Profile | None = None
    """Steps of which `profile/` beside the checkpoints gets a trace and a table of the costliest
    operations; null: none."""
