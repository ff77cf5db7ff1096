"""Beauty images => albedo images."""

import hashlib

import torch
from diffusers import AutoencoderKL

from albedo_pipeline.diffusion.seeds import Purpose, normal
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.inference.sampler import sample_latents
from albedo_pipeline.models.autoencoder import decode, encode
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.models.device import autocast


def sample_noise(seed: int, sample_ids: list[str], member: int, shape: tuple) -> torch.Tensor:
    """The noise that each sample starts from, [B, *shape]: a function of seed, sample_id and
    ensemble member, so that it depends on no batch and no order."""
    places = [int.from_bytes(hashlib.sha256(i.encode()).digest()[:8], "big") for i in sample_ids]
    return torch.stack([normal(seed, Purpose.SAMPLING, place, member, shape) for place in places])


def ensemble_noise(seed: int, sample_ids: list[str], members: int, shape: tuple) -> torch.Tensor:
    """`sample_noise` of all members of all samples, [B, E, *shape]."""
    noise = [sample_noise(seed, sample_ids, member, shape) for member in range(members)]
    return torch.stack(noise, dim=1)


@torch.no_grad()
def predict_albedo(
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    images: torch.Tensor,
    sample_ids: list[str],
    *,
    seed: int,
    steps: int,
    ensemble: int,
    precision: str,
) -> torch.Tensor:
    """Mean of `ensemble` predictions, float32 [B, 3, H, W], sRGB-encoded, in [-1, 1].

    Args:
        denoiser, autoencoder: on the device of `images`.
        images: beauty, [B, 3, H, W], sRGB-encoded, in [-1, 1].
        sample_ids: B names, for the noise.

    Raises:
        ProjectError: where `steps` are more than the noise schedule has.
    """
    if steps > denoiser.scheduler.config.num_train_timesteps:
        raise ProjectError(
            f"steps (of evaluate or train.validation): {steps} is more than the denoiser's "
            f"{denoiser.scheduler.config.num_train_timesteps} timesteps"
        )
    device = images.device
    with autocast(device, precision):
        beauty = encode(autoencoder, images)
    total = torch.zeros_like(images)
    for member in range(ensemble):
        noise = sample_noise(seed, sample_ids, member, tuple(beauty.shape[1:])).to(device)
        latents = sample_latents(denoiser, beauty, noise, steps, precision)
        with autocast(device, precision):
            total += decode(autoencoder, latents)
    return total / ensemble
