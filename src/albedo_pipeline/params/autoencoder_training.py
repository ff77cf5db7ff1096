"""Settings of the autoencoder's training."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.base import Channels, Params, check_groups
from albedo_pipeline.params.optimisation import (
    Decay,
    LearningRate,
    Optimiser,
    ValidationSchedule,
    Visualisation,
)
from albedo_pipeline.params.training_loop import TrainingLoop, flat
from albedo_pipeline.params.varying import Varying


class AutoencoderLearningRate(LearningRate):
    """The learning rate of the autoencoder."""

    peak: float = Field(2e-3, gt=0)
    """Learning rate at the end of the warm-up."""
    decay: Literal["constant", "exponential", "cosine", "plateau"] = "cosine"
    """How the learning rate falls after the warm-up; see `LearningRate`."""


class ReconstructionLoss(Params):
    """The loss: a weighted sum of terms, each the mean over an image in [-1, 1].

    A weight may change with the step: `[start_step, start, end, end_step]`.
    """

    mse_weight: Varying = 1.0
    """Weight of the squared error."""
    l1_weight: Varying = 0.0
    """Weight of the absolute error."""
    gradient_weight: Varying = 0.0
    """Weight of the absolute error of the image's gradients, which makes edges sharp."""
    gradient_scales: int = Field(3, ge=1)
    """Number of scales at which gradients are compared; each halves the image."""
    lpips_weight: Varying = 0.0
    """Weight of LPIPS (Zhang et al. 2018), a perceptual distance; needs `training.lpips_weights`
    and crops of at least 31 pixels."""
    kl_weight: Varying = 1e-7
    """Weight of the Kullback-Leibler term, a mean over the latent's elements. Without effect if the
    encoder is not trained."""

    @model_validator(mode="after")
    def _compares_images(self) -> Self:
        if not any((self.mse_weight, self.l1_weight, self.gradient_weight, self.lpips_weight)):
            raise ValueError(
                "mse_weight, l1_weight, gradient_weight and lpips_weight cannot all be 0"
            )
        return self


class GradientPenalty(Params):
    """Penalty of the gradient of the discriminators' output with respect to an image."""

    kind: Literal["r1", "interpolated"] = "r1"
    """`r1`: half the squared norm of the gradient of the summed output, at true images (Mescheder
    et al. 2018). `interpolated`: squared difference of the norm of the mean output's gradient from
    1, at random points between true image and reconstruction (WGAN-GP, Gulrajani et al. 2017)."""
    weight: float = Field(1.0, gt=0)
    """Weight of the penalty; Gulrajani et al. take 10 for `interpolated`."""
    every: int = Field(16, ge=1)
    """Optimiser steps between two penalties, each of which is multiplied by this number (Karras et
    al. 2020, app. B)."""


class AdversaryOptimiser(Optimiser):
    """The optimiser of the discriminators."""

    betas: tuple[Decay, Decay] = (0.5, 0.9)
    """Decays of the moving averages of the gradient and of its square."""


class Adversary(Params):
    """Discriminators that learn to tell reconstructions from true images, patch by patch."""

    weight: Varying = 0.1
    """Weight of the adversarial term in the autoencoder's loss."""
    adaptive: bool = True
    """Whether the weight is multiplied by the ratio of the gradients of the other terms and of the
    adversarial term at the decoder's last layer (Esser et al. 2021, eq. 7). The ratio of a step is
    measured in the step before."""
    start_step: int = Field(0, ge=0)
    """Optimiser step from which the discriminators learn and the autoencoder gets their term."""
    kind: Literal["hinge", "non_saturating", "wasserstein"] = "hinge"
    """Loss of the two sides (Lim & Ye 2017; Goodfellow et al. 2014; Arjovsky et al. 2017).
    `wasserstein` needs the gradient penalty `interpolated`."""
    scales: int = Field(2, ge=1)
    """Number of discriminators; each sees the image at half the size of the one before (Wang et al.
    2018)."""
    channels: int = Field(32, ge=8, multiple_of=8)
    """Channels of a discriminator's first layer; each further one has twice as many."""
    layers: int = Field(2, ge=1)
    """Layers of a discriminator that halve the image (PatchGAN, Isola et al. 2017)."""
    learning_rate: LearningRate = LearningRate(peak=1e-3, decay="constant")
    """Learning rate of the discriminators; its steps count from `start_step`."""
    optimiser: AdversaryOptimiser = AdversaryOptimiser()
    """Optimiser of the discriminators."""
    gradient_penalty: GradientPenalty | None = GradientPenalty()
    """Penalty of the discriminators' gradient; null: none."""

    @model_validator(mode="after")
    def _learning_rate_has_no_plateau(self) -> Self:
        if self.learning_rate.decay == "plateau":
            raise ValueError("adversary.learning_rate.decay 'plateau' is not available")
        return self

    @model_validator(mode="after")
    def _critic_is_bounded(self) -> Self:
        penalty = self.gradient_penalty
        if self.kind == "wasserstein" and (penalty is None or penalty.kind != "interpolated"):
            raise ValueError(
                "adversary.kind 'wasserstein' needs adversary.gradient_penalty with kind "
                "'interpolated', such as {kind: interpolated, weight: 10, every: 1}"
            )
        return self


class RoundTripValidation(ValidationSchedule):
    """Round trips of validation samples: encoded, decoded and scored."""

    samples: int = Field(64, ge=1)
    """Samples, spread evenly over the split; of each, beauty and albedo are scored."""
    metric: Literal[
        "albedo_psnr",
        "albedo_ssim",
        "albedo_lpips",
        "beauty_psnr",
        "beauty_ssim",
        "beauty_lpips",
    ] = "albedo_psnr"
    """Score that decides which checkpoint is best, and whether the learning rate is on a plateau.
    PSNR and SSIM are always measured, LPIPS if `training.lpips_weights` is set; all of them with
    the raw weights, too."""
    batch_size: int = Field(32, ge=1)
    """Number of images that go through the autoencoder at a time."""


class AutoencoderTraining(TrainingLoop):
    """How an `AutoencoderKL` is trained on the user's pairs."""

    pipeline: ClassVar[str] = "autoencoder"
    settings_path: ClassVar[str] = "autoencoder.training"

    block_out_channels: Channels = (16, 48, 96)
    """Channels of each level; the latent is 2 ** (levels - 1) times smaller than the image. This
    and the next three are only for the source `train`."""
    layers_per_block: int = Field(1, ge=1)
    """Residual blocks in each level."""
    latent_channels: int = Field(4, ge=1)
    """Channels of a latent."""
    norm_num_groups: int = Field(8, ge=1)
    """Groups of the group normalisation; must divide the channels of each level."""
    train: Literal["all", "encoder", "decoder"] = "all"
    """Which part is trained; the other one stays as it is. Latents stay valid if it is the
    `decoder`, which then learns from the posterior's mean, as the denoiser predicts it."""
    stored_latents: bool = False
    """Whether the decoder learns from the latents that `encode` stored, instead of encoding its
    images in every step; only with `train: decoder`. A crop's latent is then a part of that of the
    whole image."""
    albedo_share: float = Field(0.5, ge=0, le=1)
    """Share of the images that are albedo; the others are beauty."""
    effective_batch_size: int = Field(8, ge=1)
    """Number of images in one optimiser step, over all processes."""
    micro_batch_size: Annotated[int, Field(ge=1)] | None = None
    """Largest number of images that a process computes at a time; a divisor of
    `effective_batch_size`. null: all of the process's images at a time. It does not change the
    result."""
    crop: int | None = Field(None, ge=8)
    """Width and height of the random training crops, pixels; null trains on uncropped images."""
    learning_rate: AutoencoderLearningRate = AutoencoderLearningRate()
    """The learning rate."""
    loss: ReconstructionLoss = ReconstructionLoss()
    """The loss of the reconstruction."""
    lpips_weights: Path | None = None
    """Safetensors file with the weights of LPIPS, as `evaluate.lpips_weights` takes it; null:
    validation does not measure LPIPS, and the loss cannot have it."""
    adversary: Adversary | None = None
    """Discriminators that are trained against the autoencoder; null: none."""
    validation: RoundTripValidation = RoundTripValidation()
    """When and how round trips of validation samples are scored."""
    visualisation: Visualisation = Visualisation()
    """When round trips of validation samples are shown as images."""

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        check_groups(self.block_out_channels, self.norm_num_groups)
        size = self.micro_batch_size
        if size is not None and self.effective_batch_size % size:
            raise ValueError(
                f"effective_batch_size ({self.effective_batch_size}) must be a multiple of "
                f"micro_batch_size ({size})"
            )
        if self.adversary is not None and self.train == "encoder":
            raise ValueError("adversary needs train 'all' or 'decoder'")
        if self.lpips_weights is None and (self.loss.lpips_weight or self.is_ranked_by_lpips):
            raise ValueError(
                "loss.lpips_weight and a validation.metric of LPIPS need lpips_weights, the file "
                "with the weights of LPIPS"
            )
        if self.stored_latents and self.train != "decoder":
            raise ValueError("stored_latents needs train 'decoder'")
        return self

    @property
    def is_ranked_by_lpips(self) -> bool:
        """Whether LPIPS decides which checkpoint is best."""
        return self.validation.metric.endswith("_lpips")

    @property
    def learns_from_lpips(self) -> bool:
        """Whether the weights at each step depend on those of LPIPS."""
        by_plateau = self.learning_rate.decay == "plateau" and self.is_ranked_by_lpips
        return by_plateau or self.loss.lpips_weight != 0

    @property
    def micro_batch_size_as_number(self) -> int:
        """Largest number of images that a process computes at a time."""
        return self.micro_batch_size or self.effective_batch_size

    def result_settings(self, last_step: int) -> dict[str, Any]:
        """The settings that decide the weights at each step, by dotted key.

        Newer settings are left out while they have their default: their absence says the same in
        the checkpoints of before they existed.
        """
        kept = self.kept_settings(last_step)
        del kept["lpips_weights"]  # the digest of the file's content counts, not its path
        if not self.loss.lpips_weight:
            del kept["loss"]["lpips_weight"]
        penalty = (kept["adversary"] or {}).get("gradient_penalty") or {}
        if penalty.get("kind") == "r1":
            del penalty["kind"]
        rate = (kept["adversary"] or {}).get("learning_rate", {})
        rate.pop("plateau", None)
        if not self.stored_latents:  # checkpoints of before it existed lack it
            del kept["stored_latents"]
        if rate.get("decay") in ("exponential", "cosine"):
            rate["decay_steps"] = rate["decay_steps"] or last_step
        return flat(kept)
