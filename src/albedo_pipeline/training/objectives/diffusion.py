"""The objective `diffusion`: the masked loss in latent space at random timesteps."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from diffusers import AutoencoderKL

from albedo_pipeline.diffusion.losses import masked_loss, min_snr_weight
from albedo_pipeline.diffusion.process import add_noise, training_target
from albedo_pipeline.imaging.pixels import latent_mask
from albedo_pipeline.models.autoencoder import encode, factor
from albedo_pipeline.params.optimisation import Loss
from albedo_pipeline.training.batches import Batch
from albedo_pipeline.training.objectives.base import Losses
from albedo_pipeline.training.pixel_batches import PixelBatch

QUARTERS = 4
"""Number of equal ranges of timesteps whose losses are logged separately."""


def loss_sums(
    unet: Callable,
    batch: Batch,
    alphas_cumprod: torch.Tensor,
    text_embedding: torch.Tensor,
    prediction_type: str,
    params: Loss,
) -> torch.Tensor:
    """Sum of the loss over each sample's valid cells, float32 [B].

    Args:
        unet: in training mode, on the batch's device.
        alphas_cumprod: of every timestep, [T], on that device.
        text_embedding: of the empty text, [1, L, D], on that device.
    """
    alpha_cumprod = alphas_cumprod[batch.timesteps].view(-1, 1, 1, 1)
    noisy = add_noise(batch.albedo, batch.noise, alpha_cumprod)
    target = training_target(batch.albedo, batch.noise, alpha_cumprod, prediction_type)
    prediction = unet(
        torch.cat([batch.beauty, noisy], dim=1),  # [B, 2C, h, w]
        batch.timesteps,
        text_embedding.expand(len(noisy), -1, -1),
    ).sample
    sums = masked_loss(prediction, target, batch.valid, params.kind, params.huber_delta)
    if params.min_snr_gamma is not None:
        sums = sums * min_snr_weight(alpha_cumprod, params.min_snr_gamma, prediction_type).flatten()
    return sums


def loss_by_quarter(
    sums: torch.Tensor, batch: Batch, num_train_timesteps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums of the losses [4] and of the valid cells [4] in each quarter of the timesteps."""
    quarter = batch.timesteps * QUARTERS // num_train_timesteps
    zeros = torch.zeros(QUARTERS, device=sums.device)
    cells = batch.valid.sum(dim=(1, 2, 3), dtype=torch.float32)
    return zeros.index_add(0, quarter, sums.detach()), zeros.index_add(0, quarter, cells)


@dataclass(frozen=True)
class DiffusionObjective:
    """Loss of the denoiser at the timesteps and with the noise of a batch."""

    alphas_cumprod: torch.Tensor
    """Cumulative products of the noise schedule, [T]."""
    text_embedding: torch.Tensor
    """Embedding of the empty text, [1, L, D]."""
    prediction_type: str
    """What the denoiser predicts."""
    params: Loss
    """The loss."""
    autoencoder: AutoencoderKL
    """Encodes the images of a pixel batch."""
    autocast: Callable[[], AbstractContextManager]
    """Context of mixed precision."""
    part_names: ClassVar[tuple[str, ...]] = tuple(f"t{q + 1}of{QUARTERS}" for q in range(QUARTERS))

    def losses(self, model: Any, batch: Batch | PixelBatch, step: int) -> Losses:
        """Sums over the valid latent cells."""
        if isinstance(batch, PixelBatch):
            batch = self._encoded(batch)
        sums = loss_sums(
            model,
            batch,
            self.alphas_cumprod,
            self.text_embedding,
            self.prediction_type,
            self.params,
        )
        by_quarter, cells = loss_by_quarter(sums, batch, len(self.alphas_cumprod))
        return Losses(sums.sum(), cells.sum(), by_quarter, cells)

    @torch.no_grad()
    def _encoded(self, batch: PixelBatch) -> Batch:
        with self.autocast():
            beauty, albedo = (encode(self.autoencoder, i) for i in (batch.beauty, batch.albedo))
        cells = latent_mask(batch.valid.bool(), factor(self.autoencoder)).to(torch.uint8)
        return Batch(beauty, albedo, cells, batch.noise, batch.timesteps)
