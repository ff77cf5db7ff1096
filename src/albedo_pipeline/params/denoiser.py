"""Settings of the denoiser itself: where it comes from, and its noise schedule."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.base import Channels, Params, PretrainedModel, check_groups


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


class PretrainedDenoiser(PretrainedModel):
    """An SD-family folder or Hub id, with `unet`, `text_encoder` and `tokenizer` in it."""

    input_order: Literal["beauty_first", "noisy_first"] = "beauty_first"
    """Of a model that already takes two latents; `noisy_first` is converted by swapping the
    halves of `conv_in`."""


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


class Lora(Params):
    """Low-rank adapters (Hu et al. 2022) instead of the whole weights."""

    rank: int = Field(16, ge=1)
    alpha: float = Field(16, gt=0)
    """The adapter's output is scaled by alpha / rank."""
    target_modules: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "to_q",
        "to_k",
        "to_v",
        "to_out.0",
    )
    """Ends of the names of the modules that get an adapter."""
    train_also: tuple[str, ...] = ("conv_in",)
    """Ends of the names of the modules that are trained whole; a widened `conv_in` needs it."""
