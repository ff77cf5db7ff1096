"""The denoiser: UNet, noise schedule and text embedding, and how they are made or loaded."""

from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel

from albedo_pipeline.diffusion.schedule import alphas_cumprod_from_betas, betas
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.loading import load_network
from albedo_pipeline.params.denoiser import NoiseSchedule, PretrainedDenoiser, ScratchDenoiser
from albedo_pipeline.params.loading import DEFAULT_LOADING, WeightLoading
from albedo_pipeline.provenance.weights import denoiser_digest


@dataclass(frozen=True)
class Denoiser:
    """Everything that is needed to predict albedo latents from beauty latents."""

    unet: UNet2DConditionModel
    """UNet that takes cat([beauty latent, noisy albedo latent]), 2C channels, and returns C."""
    scheduler: DDIMScheduler
    """Configuration of the noise schedule, for training and sampling alike."""
    text_embedding: torch.Tensor
    """Embedding of the empty text, float32 [1, L, D]."""
    made_from: dict[str, str] = field(default_factory=dict)
    """Digests of what it was trained with, by name; see `provenance.lineage`."""

    def digest(self) -> str:
        """Digest of the UNet's weights, the noise schedule and the text embedding."""
        return denoiser_digest(self.unet, self.scheduler, self.text_embedding)

    @property
    def ignores_noise(self) -> bool:
        """Whether the noisy latents have no influence: then it predicts in one step.

        True for every denoiser of the objective `end_to_end`; see `ignore_noise`.
        """
        conditions = self.unet.config.in_channels - self.unet.config.out_channels
        return not bool(self.unet.conv_in.weight[:, conditions:].any())

    def alphas_cumprod(self) -> torch.Tensor:
        """Cumulative products of the noise schedule, float32 [T].

        Not the scheduler's own, which differ in the last digits: it rounds the betas in between.
        """
        config = self.scheduler.config
        variances = betas(
            config.num_train_timesteps, config.beta_start, config.beta_end, config.beta_schedule
        )
        return alphas_cumprod_from_betas(variances, config.rescale_betas_zero_snr)


def new_scheduler(params: NoiseSchedule, *, one_step: bool = False) -> DDIMScheduler:
    """Zero terminal SNR and trailing timesteps, as Marigold's models have them.

    With `epsilon` a little signal is left at the last timestep: at zero SNR the noise says nothing
    about the image (Lin et al. 2024, sec. 3.2).

    Args:
        params: the noise schedule.
        one_step: whether sampling takes one step, which must end at the clean latent itself. Other
            models end at the first timestep, whose alphas_cumprod is a little below 1.
    """
    return DDIMScheduler(
        **params.model_dump(),
        rescale_betas_zero_snr=params.prediction_type != "epsilon",
        timestep_spacing="trailing",
        set_alpha_to_one=one_step,
        clip_sample=False,
    )


def new_unet(params: ScratchDenoiser, latent_channels: int) -> UNet2DConditionModel:
    """A small UNet with random weights; draws from torch's global generator."""
    down = ["CrossAttnDownBlock2D" if attends else "DownBlock2D" for attends in params.attention]
    up = ["CrossAttnUpBlock2D" if attends else "UpBlock2D" for attends in params.attention[::-1]]
    return UNet2DConditionModel(
        in_channels=2 * latent_channels,
        out_channels=latent_channels,
        down_block_types=tuple(down),
        up_block_types=tuple(up),
        block_out_channels=params.block_out_channels,
        layers_per_block=params.layers_per_block,
        attention_head_dim=params.attention_heads,  # to diffusers, the number of heads
        cross_attention_dim=params.text_width,
        norm_num_groups=params.norm_num_groups,
    )


def load_unet(
    source: PretrainedDenoiser, latent_channels: int, loading: WeightLoading = DEFAULT_LOADING
) -> UNet2DConditionModel:
    """Load the `unet` of an SD-family repository or folder, and make it take two latents.

    The beauty latent comes first. Weights that `loading` ignores are drawn from torch's global
    generator.

    Raises:
        ProjectError: if it cannot be loaded, or does not fit the autoencoder, or a weight is
            missing or has another shape; names it.
    """
    key, path = "train.pretrained.model", "train.loading"
    unet = load_network(UNet2DConditionModel, source, "unet", loading, key, path)
    check_channels(f"{key} {source.model}", dict(unet.config), latent_channels)
    if unet.config.in_channels == latent_channels:
        return widen_input(unet)
    return swap_input(unet) if source.input_order == "noisy_first" else unet


def check_channels(name: str, config: dict[str, Any], latent_channels: int) -> None:
    """Check that a UNet takes one latent or two, and predicts one.

    Raises:
        ProjectError: if it does not; begins with `name`.
    """
    if config["out_channels"] != latent_channels:
        raise ProjectError(
            f"{name}: predicts {config['out_channels']} channels, "
            f"but the autoencoder's latents have {latent_channels}"
        )
    if config["in_channels"] not in (latent_channels, 2 * latent_channels):
        raise ProjectError(
            f"{name}: takes {config['in_channels']} channels, "
            f"expected {latent_channels} or {2 * latent_channels}"
        )


@torch.no_grad()
def ignore_noise(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """Set the weights of the noisy latent in `conv_in` to zero.

    They stay zero in a training whose noisy latent is zero, because their gradient is zero.
    """
    unet.conv_in.weight[:, unet.config.in_channels - unet.config.out_channels :] = 0
    return unet


@torch.no_grad()
def widen_input(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """Double the input channels: repeat the weight and halve it, and keep the bias.

    Two equal latents then give what one latent gave, and activations keep their size (Ke et al.
    2024, sec. 3.2). The config is updated too, so that a reload builds the new shape.
    """
    old = unet.conv_in
    window: Any = (old.kernel_size, old.stride, old.padding)  # their types differ in torch
    new = torch.nn.Conv2d(2 * old.in_channels, old.out_channels, *window)
    new.load_state_dict({"weight": old.weight.repeat(1, 2, 1, 1) / 2, "bias": old.bias})
    unet.conv_in = new
    unet.register_to_config(in_channels=new.in_channels)
    return unet


@torch.no_grad()
def swap_input(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """Swap the two latents of the input, for a model that was trained with the other order."""
    first, second = unet.conv_in.weight.chunk(2, dim=1)
    unet.conv_in.weight.copy_(torch.cat([second, first], dim=1))
    return unet
