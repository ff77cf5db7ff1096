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
    """Beauty latents => predicted latents, float32 [B, C', h, w].

    Only the UNet runs in its own or the given precision; the state is float32.

    Args:
        denoiser: its UNet is on the device of `beauty`.
        beauty: [B, C, h, w].
        noise: standard normal [B, C', h, w], what sampling starts from; C' is the UNet's output.
        steps: DDIM steps.
        precision: of the UNet's mixed precision.
    """
    config, unet = denoiser.scheduler.config, denoiser.unet
    levels = denoiser.levels().to(beauty.device)
    dtype = next(unet.parameters()).dtype
    condition = denoiser.condition.to(beauty.device, dtype).expand(len(beauty), -1, -1)
    x = noise.float()
    with autocast(beauty.device, precision):
        for timestep, next_level in _descent(levels, steps, config.set_alpha_to_one):
            both = torch.cat([beauty, x], dim=1).to(dtype)
            prediction = unet(both, timestep, condition).sample.float()
            clean, residual = split_prediction(
                prediction, x, levels[timestep], config.prediction_type
            )
            x = ddim_step(clean, residual, next_level)
    return x


def _descent(
    levels: torch.Tensor, steps: int, ends_at_no_noise: bool
) -> list[tuple[int, torch.Tensor]]:
    """Each step's timestep, and the level that it leads to.

    As diffusers has it, each step goes down by T // steps, also where that does not divide T.
    """
    end = torch.ones_like(levels[0]) if ends_at_no_noise else levels[0]
    stride = len(levels) // steps
    return [
        (timestep, levels[timestep - stride] if timestep >= stride else end)
        for timestep in trailing_timesteps(len(levels), steps)
    ]
