"""The objective of the autoencoder: its reconstruction of an image."""

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL

from albedo_pipeline.diffusion.image_losses import gradient_loss
from albedo_pipeline.metrics.image.lpips import Weights, lpips_distance
from albedo_pipeline.models.autoencoder import decode_unclipped
from albedo_pipeline.params.autoencoder_training import ReconstructionLoss
from albedo_pipeline.training.adversary import Adversary
from albedo_pipeline.training.image_batches import EncodedImageBatch, ImageBatch
from albedo_pipeline.training.objectives.base import Losses
from albedo_pipeline.training.schedules import value_at

TERMS = ("mse", "l1", "gradients", "kl")
"""Terms of every loss, as they are logged."""


class RoundTrip(torch.nn.Module):
    """Images => reconstructions, and the posterior."""

    def __init__(self, autoencoder: AutoencoderKL, trains_encoder: bool) -> None:
        super().__init__()
        self.autoencoder, self._trains_encoder = autoencoder, trains_encoder

    def forward(
        self, images: torch.Tensor, noise: torch.Tensor, latents: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """Encode and decode, or decode stored latents.

        A frozen encoder gives the posterior's mean, a trained one a sample of the posterior.

        Args:
            images: [B, 3, H, W] in [-1, 1].
            noise: standard normal [B, C, h, w], for the sample.
            latents: [B, C, h, w], in the place of what the encoder gives; None: it encodes.

        Returns:
            The reconstruction, and mean and log variance of the posterior, float32; None for these
            two if nothing was encoded.
        """
        if latents is not None:
            return decode_unclipped(self.autoencoder, latents), None, None
        with torch.set_grad_enabled(self._trains_encoder and torch.is_grad_enabled()):
            posterior = self.autoencoder.encode(images).latent_dist
            mean, logvar = posterior.mean.float(), posterior.logvar.float()
        latents = mean + (0.5 * logvar).exp() * noise if self._trains_encoder else mean
        return self.autoencoder.decode(latents).sample.float(), mean, logvar


def reconstruction_terms(
    reconstruction: torch.Tensor,
    images: torch.Tensor,
    mean: torch.Tensor | None,
    logvar: torch.Tensor | None,
) -> dict[str, torch.Tensor]:
    """Each term's mean over an image or its latent, summed over the batch; by name, [].

    Args:
        reconstruction, images: float32 [B, 3, H, W], in [-1, 1].
        mean, logvar: of the posterior, float32 [B, C, h, w]; None: there is no KL term.
    """
    error = reconstruction - images
    terms = {
        "mse": error.square().mean(dim=(1, 2, 3)).sum(),
        "l1": error.abs().mean(dim=(1, 2, 3)).sum(),
    }
    if mean is not None and logvar is not None:
        kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar)  # Kingma & Welling 2014, app. B
        terms["kl"] = kl.mean(dim=(1, 2, 3)).sum()
    return terms


@dataclass(frozen=True)
class ReconstructionObjective:
    """Weighted sum of the terms, and the adversarial term; sums over the images."""

    params: ReconstructionLoss
    """Weights of the terms."""
    trains_encoder: bool
    """Whether the KL term has an effect."""
    adversary: Adversary | None
    """Discriminators that learn in the same step; None if there are none."""
    lpips: Weights | None = None
    """Weights of LPIPS, on the device of the images; None if the loss does not have it."""

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the parts, the adversary's last."""
        terms = (*TERMS, "lpips") if self.lpips else TERMS
        return terms + (self.adversary.part_names if self.adversary else ())

    def losses(self, model: Any, batch: ImageBatch, step: int) -> Losses:
        """Losses of a micro-batch; the gradient of the discriminators is accumulated along."""
        images = batch.images
        latents = batch.latents if isinstance(batch, EncodedImageBatch) else None
        reconstruction, mean, logvar = model(images, batch.noise, latents)
        parts = reconstruction_terms(reconstruction, images, mean, logvar)
        if self.params.gradient_weight != 0:
            every_pixel, scales = torch.ones_like(images[:, :1]), self.params.gradient_scales
            error = gradient_loss(reconstruction, images, every_pixel, scales)
            parts["gradients"] = error.sum() / images[0, 0].numel()
        if self.lpips is not None:
            distance = lpips_distance(self.lpips, (reconstruction + 1) / 2, (images + 1) / 2)
            parts["lpips"] = distance.sum()
        weights = self._weights(step)
        total = torch.stack([weight * parts[name] for name, weight in weights.items()]).sum()
        if self.adversary is not None and step >= self.adversary.params.start_step:
            adversarial, others = self.adversary.losses(batch, reconstruction, total, step)
            parts |= others
            total = total + adversarial
        count = torch.full_like(total, len(images)).detach()
        zero = torch.zeros_like(count)
        return Losses(
            total,
            count,
            torch.stack([parts.get(name, zero).detach() for name in self.part_names]),
            torch.stack([count if name in parts else zero for name in self.part_names]),
        )

    def _weights(self, step: int) -> dict[str, float]:
        """Weight of each term that is used, by name."""
        params = self.params
        weights = {
            "mse": params.mse_weight,
            "l1": params.l1_weight,
            "gradients": params.gradient_weight,
            "lpips": params.lpips_weight,
            "kl": params.kl_weight if self.trains_encoder else 0.0,
        }
        return {name: value_at(weight, step) for name, weight in weights.items() if weight != 0}
