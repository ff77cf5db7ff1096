"""Settings of the denoiser: where its weights come from, and its noise schedule."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.base import Channels, Params, PretrainedModel, check_groups


class ScratchDenoiser(Params):
    """A small `UNet2DConditionModel` with random weights."""

    block_out_channels: Channels = (64, 96, 128)
    """Number of channels of each level, from the finest to the coarsest."""
    layers_per_block: int = Field(1, ge=1)
    """Number of residual layers per block."""
    attention: tuple[bool, ...] = (False, False, True)
    """Whether each level has attention; one flag per level, from the finest to the coarsest."""
    attention_heads: int = Field(4, ge=1)
    """Number of attention heads of each level that has attention."""
    norm_num_groups: int = Field(16, ge=1)
    """Number of groups of the group normalisation; must divide all of `block_out_channels`."""
    text_width: int = Field(32, ge=8, multiple_of=8)
    """Number of features of the text embedding; a multiple of 8."""

    @model_validator(mode="after")
    def _one_flag_per_level(self) -> Self:
        if len(self.attention) != len(self.block_out_channels):
            raise ValueError("attention needs one flag for each level of block_out_channels")
        check_groups(self.block_out_channels, self.norm_num_groups)
        return self


class PretrainedDenoiser(PretrainedModel):
    """A model of the Stable Diffusion family with `unet`, `text_encoder` and `tokenizer`."""

    input_order: Literal["beauty_first", "noisy_first"] = "beauty_first"
    """Order of the input latents of a UNet that already takes two. `noisy_first` is converted by
    swapping the halves of `conv_in`."""


class NoiseSchedule(Params):
    """The noise of the diffusion process, always with zero terminal SNR (except for `epsilon`)."""

    num_train_timesteps: int = Field(1000, ge=2)
    """Number of timesteps."""
    beta_start: float = Field(0.00085, gt=0, lt=1)
    """Noise variance of the first timestep; not used by `squaredcos_cap_v2`."""
    beta_end: float = Field(0.012, gt=0, lt=1)
    """Noise variance of the last timestep, above `beta_start`; not used by `squaredcos_cap_v2`."""
    beta_schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2"] = "scaled_linear"
    """How the noise variance grows with the timestep, in diffusers' names."""
    prediction_type: Literal["v_prediction", "epsilon", "sample"] = "v_prediction"
    """What the denoiser predicts: the velocity, the noise, or the clean latent."""

    @model_validator(mode="after")
    def _noise_grows(self) -> Self:
        if self.beta_start >= self.beta_end:
            raise ValueError("beta_start must be less than beta_end")
        return self


class Lora(Params):
    """Low-rank adapters (Hu et al. 2022) that are trained in place of the UNet's own weights."""

    rank: int = Field(16, ge=1)
    """Rank of the adapters."""
    alpha: float = Field(16, gt=0)
    """Scale of the adapters: their output is multiplied by alpha / rank."""
    target_modules: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "to_q",
        "to_k",
        "to_v",
        "to_out.0",
    )
    """Modules that get an adapter, given by the ends of their names."""
    train_also: tuple[str, ...] = ("conv_in",)
    """Modules whose own weights are trained too, given by the ends of their names. A widened
    `conv_in` has to be one of them."""
