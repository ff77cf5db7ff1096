"""One micro-batch: noise, prediction, and the masked loss of each sample."""

from collections.abc import Callable

import torch

from albedo_pipeline.diffusion.losses import masked_loss, min_snr_weight
from albedo_pipeline.diffusion.process import add_noise, training_target
from albedo_pipeline.params.optimisation import Loss
from albedo_pipeline.training.batches import Batch

QUARTERS = 4
"""Parts of the timesteps whose losses are told apart."""


def loss_sums(
    unet: Callable,
    batch: Batch,
    levels: torch.Tensor,
    condition: torch.Tensor,
    prediction_type: str,
    params: Loss,
) -> torch.Tensor:
    """Sum of the loss over each sample's valid cells, float32 [B].

    Args:
        unet: in training mode, on the batch's device.
        levels: alpha-bar of every timestep, [T], on that device.
        condition: empty-text embedding [1, L, D], on that device.
    """
    level = levels[batch.timesteps].view(-1, 1, 1, 1)
    noisy = add_noise(batch.albedo, batch.noise, level)
    target = training_target(batch.albedo, batch.noise, level, prediction_type)
    prediction = unet(
        torch.cat([batch.beauty, noisy], dim=1),  # [B, 2C, h, w]
        batch.timesteps,
        condition.expand(len(noisy), -1, -1),
    ).sample
    sums = masked_loss(prediction, target, batch.valid, params.kind, params.huber_delta)
    if params.min_snr_gamma is not None:
        sums = sums * min_snr_weight(level, params.min_snr_gamma, prediction_type).flatten()
    return sums


def loss_by_quarter(
    sums: torch.Tensor, batch: Batch, num_train_timesteps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Losses [4] and valid cells [4] of the batch, summed by quarter of the timesteps."""
    quarter = batch.timesteps * QUARTERS // num_train_timesteps
    zeros = torch.zeros(QUARTERS, device=sums.device)
    cells = batch.valid.sum(dim=(1, 2, 3), dtype=torch.float32)
    return zeros.index_add(0, quarter, sums.detach()), zeros.index_add(0, quarter, cells)
