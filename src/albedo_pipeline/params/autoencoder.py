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


class PretrainedAutoencoder(PretrainedModel):
    """An `AutoencoderKL` of the Hub, or in a local folder."""

    subfolder: str | None = None
    """Where in the repository it is, such as `vae`."""


class AutoencoderTraining(Params):
    """An `AutoencoderKL` trained on the user's pairs."""

    block_out_channels: Channels = (16, 48, 96)
    """Channels of each level; the latent is 2 ** (levels - 1) times smaller than the image."""
    layers_per_block: int = Field(1, ge=1)
    latent_channels: int = Field(4, ge=1)
    norm_num_groups: int = Field(8, ge=1)
    max_steps: int = Field(ge=1)
    batch_size: int = Field(8, ge=1)
    """Images a step; every other one is an albedo."""
    crop: int | None = Field(None, ge=8)
    """Width and height of the random crops that are trained on, pixels; null: whole images."""
    learning_rate: float = Field(2e-3, gt=0)
    warmup_steps: int = Field(100, ge=0)
    final_learning_rate_ratio: float = Field(0.01, gt=0, le=1)
    kl_weight: float = Field(1e-7, ge=0)
    """Weight of the Kullback-Leibler term, mean over the latent's elements."""
    ema_decay: float = Field(0.999, ge=0, lt=1)
    max_grad_norm: float = Field(1.0, gt=0)
    seed: int = Field(2024, ge=0, lt=2**63)

    @model_validator(mode="after")
    def _groups_divide_channels(self) -> Self:
        check_groups(self.block_out_channels, self.norm_num_groups)
        return self


class AutoencoderParams(Params):
    """Where the autoencoder comes from."""

    source: Literal["bundled", "pretrained", "train"] = "bundled"
    pretrained: PretrainedAutoencoder | None = None
    training: AutoencoderTraining | None = None
    device: Device = "auto"
    precision: TrainingPrecision = "bf16"
    batch_size: int = Field(32, ge=1)
    """Images a batch when the round trip is measured."""

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
    """Images a batch on a GPU; a CPU encodes one on each core. The latents depend on it by no more
    than rounding."""
    device: Device = "auto"
    precision: Precision = "fp32"
