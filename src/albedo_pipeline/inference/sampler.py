"""The DDIM sampler (Song et al. 2021) with trailing timesteps."""

import torch

from albedo_pipeline.diffusion.process import ddim_step, split_prediction
from albedo_pipeline.diffusion.schedule import trailing_timesteps
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.models.device import autocast


@torch.no_grad()
def sample_latents(
    denoiser: Denoiser, beauty: torch.Tensor, noise: torch.Tensor, steps: int, precision: str
) -> torch.Tensor:
    """Beauty latents => albedo latents, float32 [B, C, h, w].

    Args:
        denoiser: its UNet is on the device of `beauty`.
        beauty: [B, C, h, w].
        noise: standard normal [B, C, h, w], what sampling starts from.
        steps: DDIM steps.
    """
    config = denoiser.scheduler.config
    levels = denoiser.levels().to(beauty.device)
    condition = denoiser.condition.to(beauty.device).expand(len(beauty), -1, -1)
    timesteps = trailing_timesteps(len(levels), steps)
    # The last step ends at the lowest noise level, not at none: `set_alpha_to_one=False`.
    next_levels = [*(levels[t] for t in timesteps[1:]), levels[0]]
    x = noise
    for timestep, next_level in zip(timesteps, next_levels, strict=True):
        with autocast(beauty.device, precision):
            prediction = denoiser.unet(torch.cat([beauty, x], dim=1), timestep, condition).sample
        clean, residual = split_prediction(
            prediction.float(), x, levels[timestep], config.prediction_type
        )
        x = ddim_step(clean, residual, next_level)
    return x
