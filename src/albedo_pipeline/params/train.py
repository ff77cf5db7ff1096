"""Settings of `train`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.base import (
    Channels,
    Device,
    Params,
    PretrainedModel,
    TrainingPrecision,
    check_groups,
)

Decay = Annotated[float, Field(ge=0, lt=1)]


class ScratchDenoiser(Params):
    """A small `UNet2DConditionModel` with random weights."""

    block_out_channels: Channels = (64, 96, 128)
    layers_per_block: int = Field(1, ge=1)
    attention: tuple[bool, ...] = (False, False, True)
    """Which levels attend, one flag a level."""
    attention_heads: int = Field(4, ge=1)
    """Attention heads of each level."""
    norm_num_groups: int = Field(16, ge=1)
    text_width: int = Field(32, ge=8, multiple_of=8)
    """Width of the text condition."""

    @model_validator(mode="after")
    def _one_flag_a_level(self) -> Self:
        if len(self.attention) != len(self.block_out_channels):
            raise ValueError("attention needs one flag for each of block_out_channels")
        check_groups(self.block_out_channels, self.norm_num_groups)
        return self


class NoiseSchedule(Params):
    """The forward process; zero terminal SNR always."""

    num_train_timesteps: int = Field(1000, ge=2)
    beta_start: float = Field(0.00085, gt=0, lt=1)
    beta_end: float = Field(0.012, gt=0, lt=1)
    beta_schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2"] = "scaled_linear"
    prediction_type: Literal["v_prediction", "epsilon", "sample"] = "v_prediction"

    @model_validator(mode="after")
    def _noise_grows(self) -> Self:
        if self.beta_start >= self.beta_end:
            raise ValueError("beta_start must be less than beta_end")
        return self


class LearningRate(Params):
    """Linear warm-up, then exponential or cosine decay to `final_ratio` at the last step."""

    peak: float = Field(gt=0)
    warmup_steps: int = Field(100, ge=0)
    decay: Literal["constant", "exponential", "cosine"] = "exponential"
    final_ratio: float = Field(0.01, gt=0, le=1)


class TrainParams(Params):
    """How the denoiser is trained."""

    seed: int = Field(2024, ge=0, lt=2**63)
    source: Literal["scratch", "pretrained"] = "scratch"
    scratch: ScratchDenoiser = ScratchDenoiser()
    pretrained: PretrainedModel | None = None
    """An SD-family folder or Hub id, with `unet`, `text_encoder` and `tokenizer` in it."""
    noise_schedule: NoiseSchedule = NoiseSchedule()
    effective_batch_size: int = Field(ge=1)
    """Samples of one optimiser step."""
    micro_batch_size: int = Field(ge=1)
    """Samples that are in memory at a time; does not change the result."""
    max_steps: int = Field(ge=1)
    """Optimiser steps."""
    learning_rate: LearningRate
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    ema_decay: float = Field(0.999, ge=0, lt=1)
    """Decay of the weights' moving average; it warms up with (1 + step) / (10 + step)."""
    flip_probability: float = Field(0.5, ge=0, le=1)
    device: Device = "auto"
    precision: TrainingPrecision = "bf16"
    log_every: int = Field(10, ge=1)
    """Optimiser steps between two log points; the loss is their mean."""

    @model_validator(mode="after")
    def _whole_accumulation(self) -> Self:
        if self.effective_batch_size % self.micro_batch_size:
            raise ValueError(
                f"effective_batch_size ({self.effective_batch_size}) must be a multiple of "
                f"micro_batch_size ({self.micro_batch_size})"
            )
        if self.source == "pretrained" and self.pretrained is None:
            raise ValueError("source 'pretrained' needs the key 'pretrained'")
        return self
