"""The objective `end_to_end`: one step at the last timestep, the loss on decoded pixels.

Garcia et al. 2024, "Fine-tuning image-conditional diffusion models is easier than you think". At
zero terminal SNR the noisy latent of the last timestep holds no signal, so the denoiser gets zeros
in its place and its answer does not depend on any noise.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from albedo_pipeline.diffusion.image_losses import constancy_loss, gradient_loss
from albedo_pipeline.diffusion.losses import masked_loss
from albedo_pipeline.diffusion.process import split_prediction
from albedo_pipeline.imaging.pixels import latent_mask
from albedo_pipeline.metrics.image.ssim import similarity_map
from albedo_pipeline.models.autoencoder import decode_unclipped, encode, factor
from albedo_pipeline.params.end_to_end import EndToEnd
from albedo_pipeline.training.objectives.base import Losses
from albedo_pipeline.training.objectives.features import Features
from albedo_pipeline.training.pixel_batches import PixelBatch
from albedo_pipeline.training.schedules import value_at


class OneStepModel(torch.nn.Module):
    """Beauty latents => albedo latents and, if asked for, the decoded albedo."""

    def __init__(
        self,
        unet: UNet2DConditionModel,
        autoencoder: AutoencoderKL,
        text_embedding: torch.Tensor,
        prediction_type: str,
        last_timestep: int,
    ) -> None:
        super().__init__()
        self.unet, self.autoencoder = unet, autoencoder
        self.register_buffer("text_embedding", text_embedding, persistent=False)
        self._prediction_type, self._last_timestep = prediction_type, last_timestep

    def forward(
        self, beauty: torch.Tensor, corners: torch.Tensor | None, size: tuple[int, int]
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Predict in one step, and decode the prediction or a crop of it.

        Args:
            beauty: latents [B, C, h, w].
            corners: upper left cell of each decoded crop, int64 [B, 2]; None: nothing is decoded.
            size: height and width of the decoded crop, cells.

        Returns:
            Albedo latents, float32 [B, C, h, w], and images [B, 3, H, W], sRGB-encoded, in about
            [-1, 1], or None.
        """
        nothing = torch.zeros_like(beauty)
        timesteps = torch.full((len(beauty),), self._last_timestep, device=beauty.device)
        text_embedding = self.get_buffer("text_embedding").expand(len(beauty), -1, -1)
        prediction = self.unet(
            torch.cat([beauty, nothing], dim=1), timesteps, text_embedding
        ).sample.float()
        zero_snr = torch.zeros((), device=beauty.device)
        latents, _ = split_prediction(prediction, nothing, zero_snr, self._prediction_type)
        if corners is None:
            return latents, None
        return latents, decode_unclipped(self.autoencoder, crops(latents, corners, size))


def crops(images: torch.Tensor, corners: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """The rectangle of `size` at each image's corner, [B, C, *size]."""
    if images.shape[-2:] == size:
        return images
    rows = corners[:, :1] + torch.arange(size[0], device=images.device)  # [B, height]
    columns = corners[:, 1:] + torch.arange(size[1], device=images.device)  # [B, width]
    samples = torch.arange(len(images), device=images.device)[:, None, None]
    squares = images.permute(0, 2, 3, 1)[samples, rows[:, :, None], columns[:, None, :]]
    return squares.permute(0, 3, 1, 2)


@dataclass(frozen=True)
class EndToEndObjective:
    """Weighted sum of the terms of `params`, each a sum over valid pixels."""

    params: EndToEnd
    """Terms and weights."""
    autoencoder: AutoencoderKL
    """Encodes the images."""
    features: Features | None
    """The vision transformer of the feature term."""
    autocast: Callable[[], AbstractContextManager]
    """Context of mixed precision."""
    part_names: ClassVar[tuple[str, ...]] = (
        "latent",
        "pixels",
        "gradients",
        "ssim",
        "constancy",
        "features",
    )

    def losses(self, model: Any, batch: PixelBatch, step: int) -> Losses:
        """Sums over the valid pixels of the decoded crops."""
        decodes = self.params.decodes and step >= self.params.decode_from_step
        cell = factor(self.autoencoder)
        cells = latent_mask(batch.valid.bool(), cell)
        height, width = cells.shape[-2:]
        side = (self.params.decoded_crop or max(height, width) * cell) // cell
        size = min(side, height), min(side, width)
        pixels = size[0] * cell, size[1] * cell
        rows, columns = batch.window.unbind(dim=1)
        # Python numbers, because a tensor of them would make a GPU wait.
        down, across = rows * (height - size[0] + 1), columns * (width - size[1] + 1)
        corners = torch.stack([down, across], dim=1).long()
        with torch.no_grad(), self.autocast():
            beauty = encode(self.autoencoder, batch.beauty)
            albedo = encode(self.autoencoder, batch.albedo) if self.params.latent_weight else None
        latents, images = model(beauty, corners if decodes else None, size)
        truth, valid, cells, latents = (
            crops(batch.albedo, corners * cell, pixels),
            crops(batch.valid, corners * cell, pixels),
            crops(cells, corners, size),
            crops(latents, corners, size),
        )
        terms = {}
        if albedo is not None:
            target = crops(albedo, corners, size)
            error = masked_loss(latents, target, cells, self.params.kind, self.params.huber_delta)
            terms["latent"] = error.sum() * cell**2  # a cell stands for its pixels
        if images is not None:
            terms |= self._image_terms(images, truth, valid, batch.is_second)
        return self._losses(terms, valid.sum(dtype=torch.float32), step)

    def _losses(self, terms: dict[str, torch.Tensor], count: torch.Tensor, step: int) -> Losses:
        weights, zero = self._weights(step), torch.zeros_like(count)
        total = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
        return Losses(
            total,
            count,
            torch.stack([terms.get(name, zero).detach() for name in self.part_names]),
            torch.stack([count if name in terms else zero for name in self.part_names]),
        )

    def _weights(self, step: int) -> dict[str, float]:
        params = self.params
        weights = {
            "latent": params.latent_weight,
            "pixels": params.pixel_weight,
            "gradients": params.gradient_weight,
            "ssim": params.ssim_weight,
            "constancy": params.constancy_weight,
            "features": params.features.weight if params.features else 0.0,
        }
        return {name: value_at(weight, step) for name, weight in weights.items()}

    def _image_terms(
        self,
        images: torch.Tensor,
        truth: torch.Tensor,
        valid: torch.Tensor,
        is_second: torch.Tensor,
    ) -> dict[str, torch.Tensor]:
        """Sum of each term whose weight is not zero; images are in [-1, 1]."""
        params = self.params
        predicted, true = (images + 1) / 2, (truth + 1) / 2
        terms: dict[str, torch.Tensor] = {}
        if params.pixel_weight:
            terms["pixels"] = masked_loss(
                predicted, true, valid, params.kind, params.huber_delta
            ).sum()
        if params.gradient_weight:
            terms["gradients"] = gradient_loss(predicted, true, valid, params.gradient_scales).sum()
        if params.ssim_weight:
            mask = valid.bool()
            dissimilar = 1 - similarity_map(predicted, true, mask)
            terms["ssim"] = torch.where(mask, dissimilar, 0.0).mean(dim=1).sum().float()
        if params.constancy_weight:
            terms["constancy"] = constancy_loss(predicted, valid, is_second).sum()
        if self.features is not None:
            terms["features"] = self.features.loss(predicted, true, valid).sum()
        return terms
