"""One micro-batch: noise, prediction, and the sum of the masked loss."""

import torch

from albedo_pipeline.diffusion.losses import masked_squared_error
from albedo_pipeline.diffusion.process import add_noise, training_target
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.models.device import autocast
from albedo_pipeline.training.batches import Batch


def loss_sum(
    denoiser: Denoiser, batch: Batch, levels: torch.Tensor, condition: torch.Tensor, precision: str
) -> torch.Tensor:
    """Sum of the loss over the micro-batch's valid cells; a float32 scalar.

    Args:
        denoiser: its UNet is in training mode, on the batch's device.
        levels: alpha-bar of every timestep, [T], on that device.
        condition: empty-text embedding [1, L, D], on that device.
    """
    level = levels[batch.timesteps].view(-1, 1, 1, 1)
    noisy = add_noise(batch.albedo, batch.noise, level)
    target = training_target(
        batch.albedo, batch.noise, level, denoiser.scheduler.config.prediction_type
    )
    with autocast(batch.beauty.device, precision):
        prediction = denoiser.unet(
            torch.cat([batch.beauty, noisy], dim=1),  # [B, 2C, h, w]
            batch.timesteps,
            condition.expand(len(noisy), -1, -1),
        ).sample
    return masked_squared_error(prediction, target, batch.valid)
