"""The DDIM sampler (Song et al. 2021) with trailing timesteps."""

import torch

from albedo_pipeline.diffusion.process import ddim_step, split_prediction
from albedo_pipeline.diffusion.schedule import trailing_timesteps
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.models.precision import autocast


@torch.no_grad()
def sample_latents(
    denoiser: Denoiser, beauty: torch.Tensor, noise: torch.Tensor, steps: int, precision: str
) -> torch.Tensor:
    """Beauty latents => predicted latents, float32 [B, C', h, w].

    Only the UNet runs in the given precision; the state of the sampler is float32.

    Args:
        denoiser: with its UNet on the device of `beauty`.
        beauty: [B, C, h, w].
        noise: standard normal [B, C', h, w] to start from; C' is the UNet's number of outputs.
        steps: DDIM steps.
        precision: mixed precision of the UNet, `fp32`, `bf16` or `fp16`.
    """
    config, unet = denoiser.scheduler.config, denoiser.unet
    alphas_cumprod = denoiser.alphas_cumprod().to(beauty.device)
    dtype = next(unet.parameters()).dtype
    text_embedding = denoiser.text_embedding.to(beauty.device, dtype).expand(len(beauty), -1, -1)
    x = noise.float()
    plan = _steps(alphas_cumprod, steps, config.set_alpha_to_one)
    # Copied once: the UNet would copy a plain number to the device in each step, and wait for it.
    on_device = torch.tensor([timestep for timestep, _ in plan]).to(beauty.device)
    with autocast(beauty.device, precision):
        for number, (timestep, next_alpha_cumprod) in enumerate(plan):
            both = torch.cat([beauty, x], dim=1).to(dtype)
            prediction = unet(both, on_device[number], text_embedding).sample.float()
            clean, residual = split_prediction(
                prediction, x, alphas_cumprod[timestep], config.prediction_type
            )
            x = ddim_step(clean, residual, next_alpha_cumprod)
    return x


def _steps(
    alphas_cumprod: torch.Tensor, steps: int, set_alpha_to_one: bool
) -> list[tuple[int, torch.Tensor]]:
    """Timestep of each step, and the alpha_cumprod that the step leads to.

    As in diffusers, each step goes down by T // steps, even if `steps` does not divide T.
    """
    end = torch.ones_like(alphas_cumprod[0]) if set_alpha_to_one else alphas_cumprod[0]
    stride = len(alphas_cumprod) // steps
    return [
        (timestep, alphas_cumprod[timestep - stride] if timestep >= stride else end)
        for timestep in trailing_timesteps(len(alphas_cumprod), steps)
    ]
