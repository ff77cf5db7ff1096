"""Settings of `autoencoder` and `encode`."""

from typing import Literal, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.base import (
    Channels,
    Device,
    Params,
    Precision,
    PretrainedModel,
    TrainingPrecision,
    check_groups,
)
from albedo_pipeline.params.compute import LOCAL, ComputeParams


class PretrainedAutoencoder(PretrainedModel):
    """An `AutoencoderKL` of the Hub, or in a local folder."""

    subfolder: str | None = None
    """Subfolder of the repository that holds it, such as `vae`; null is the top folder."""


class CosineLearningRate(Params):
    """Learning rate with a linear warm-up and a cosine decay that ends at the last step."""

    peak: float = Field(2e-3, gt=0)
    """Largest learning rate, reached after the warm-up."""
    warmup_steps: int = Field(100, ge=0)
    """Steps of the linear warm-up."""
    final_ratio: float = Field(0.01, gt=0, le=1)
    """Learning rate at the last step, as a share of the peak."""


class AutoencoderTraining(Params):
    """How an `AutoencoderKL` is trained on the user's pairs."""

    block_out_channels: Channels = (16, 48, 96)
    """Channels of each level; the latent is 2 ** (levels - 1) times smaller than the image."""
    layers_per_block: int = Field(1, ge=1)
    """Residual blocks in each level."""
    latent_channels: int = Field(4, ge=1)
    """Channels of a latent."""
    norm_num_groups: int = Field(8, ge=1)
    """Groups of the group normalisation; must divide the channels of each level."""
    max_steps: int = Field(ge=1)
    """Optimiser steps."""
    batch_size: int = Field(8, ge=1)
    """Images in a step; every other image is an albedo."""
    crop: int | None = Field(None, ge=8)
    """Width and height of the random training crops, pixels; null trains on uncropped images."""
    learning_rate: CosineLearningRate = CosineLearningRate()
    """Learning rate of each step."""
    kl_weight: float = Field(1e-7, ge=0)
    """Weight of the Kullback-Leibler term, which is a mean over the latent's elements."""
    ema_decay: float = Field(0.999, ge=0, lt=1)
    """Decay of the moving average of the weights."""
    max_grad_norm: float = Field(1.0, gt=0)
    """Norm that larger gradients are clipped to."""
    seed: int = Field(2024, ge=0, lt=2**63)
    """Seed of the initial weights, the crops and the noise."""

    @model_validator(mode="after")
    def _groups_divide_channels(self) -> Self:
        check_groups(self.block_out_channels, self.norm_num_groups)
        return self


class AutoencoderParams(Params):
    """Which autoencoder the project uses."""

    source: Literal["bundled", "pretrained", "train"] = "bundled"
    """`bundled` ships with the package; the others need `pretrained` or `training`."""
    pretrained: PretrainedAutoencoder | None = None
    """Which autoencoder is loaded with `source: pretrained`."""
    training: AutoencoderTraining | None = None
    """How it is trained with `source: train`."""
    device: Device = "auto"
    """Device of the training and of the round trip."""
    precision: TrainingPrecision = "bf16"
    """Precision of the forward pass; weights are fp32."""
    batch_size: int = Field(32, ge=1)
    """Images in a batch when the round trip is measured."""

    @model_validator(mode="after")
    def _source_is_described(self) -> Self:
        if self.source == "pretrained" and self.pretrained is None:
            raise ValueError("source 'pretrained' needs the key 'pretrained'")
        if self.source == "train" and self.training is None:
            raise ValueError("source 'train' needs the key 'training'")
        return self


class EncodeParams(Params):
    """How pairs become latents."""

    batch_size: int = Field(32, ge=1)
    """Images in a batch on a GPU; a CPU encodes one image on each core. It changes the latents by
    no more than rounding."""
    device: Device = "auto"
    """Device that encodes."""
    precision: Precision = "fp32"
    """Precision of the autoencoder."""
    compute: ComputeParams = LOCAL
    """Where the pairs are encoded."""
