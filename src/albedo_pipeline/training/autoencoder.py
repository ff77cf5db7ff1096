"""Training of an `AutoencoderKL` on the user's pairs, on beauty and albedo alike."""

from collections.abc import Iterator

import numpy as np
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.diffusion.noise import gaussian
from albedo_pipeline.diffusion.seeds import Purpose, generator
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.pixels import to_tensor
from albedo_pipeline.models.autoencoder import (
    BUNDLED_AUTOENCODER,
    check_divisible,
    factor,
    load_pretrained,
    new_autoencoder,
    round_trip,
)
from albedo_pipeline.models.ema import Ema, constant_decay
from albedo_pipeline.models.precision import autocast
from albedo_pipeline.params.autoencoder import (
    AutoencoderParams,
    AutoencoderTraining,
    PretrainedAutoencoder,
)
from albedo_pipeline.provenance.weights import check_complete
from albedo_pipeline.runtime.device import memory_named
from albedo_pipeline.runtime.progress import progress
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.training.schedules import learning_rate_factor


def draw_images(
    pairs: PairShards, rows: np.ndarray, batch_size: int, side: int, random: np.random.Generator
) -> torch.Tensor:
    """Random crops of random samples, alternately beauty and albedo, half of them flipped.

    Returns:
        [B, 3, side, side], sRGB-encoded, in [-1, 1].
    """
    crops = []
    for place in range(batch_size):
        image = pairs.tensor(("beauty", "albedo")[place % 2], random.choice(rows))
        height, width = image.shape[1:]
        top, left = random.integers(height - side + 1), random.integers(width - side + 1)
        crop = image[:, top : top + side, left : left + side]
        crops.append(crop[..., ::-1] if random.random() < 0.5 else crop)
    return to_tensor(np.stack(crops))


def reconstruction_loss(
    autoencoder: AutoencoderKL, images: torch.Tensor, noise: torch.Tensor, kl_weight: float
) -> torch.Tensor:
    """Mean squared error of the reconstruction, plus `kl_weight` x the mean KL term.

    Args:
        images: [B, 3, H, W] in [-1, 1].
        noise: standard normal [B, C, h, w], for the posterior's sample.
    """
    posterior = autoencoder.encode(images).latent_dist
    mean, logvar = posterior.mean.float(), posterior.logvar.float()
    latents = mean + (0.5 * logvar).exp() * noise
    error = autoencoder.decode(latents).sample.float() - images
    kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()  # Kingma & Welling 2014, app. B
    return error.square().mean() + kl_weight * kl


def train_autoencoder(
    pairs: PairShards,
    rows: np.ndarray,
    params: AutoencoderTraining,
    device: torch.device,
    precision: str,
) -> AutoencoderKL:
    """Train from random weights on the given rows, and return the EMA weights, on the CPU.

    The scaling factor is set so that the latents of the training images have a mean square of 1.

    Raises:
        ProjectError: if the images or the crop do not fit the model, the training diverged, or the
            memory is too small.
    """
    torch.manual_seed(params.seed)
    model = new_autoencoder(params).to(device).train()  # type: ignore[arg-type]
    ema = Ema(model.parameters())
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=params.learning_rate.peak, weight_decay=0.0
    )
    shapes = np.unique(pairs.shapes("beauty"), axis=0)
    for shape in shapes:
        check_divisible(model, tuple(shape))
    side = _training_side(model, params, int(shapes[:, 1:].min()))
    cells = side // factor(model)
    noise_shape = (params.batch_size, params.latent_channels, cells, cells)
    for step in progress(range(params.max_steps), params.max_steps, "autoencoder"):
        random = generator(params.seed, Purpose.AUTOENCODER, step)
        images = draw_images(pairs, rows, params.batch_size, side, random).to(device)
        noise = gaussian(random, noise_shape).to(device)
        with memory_named("autoencoder.training.batch_size or crop"):
            with autocast(device, precision):
                loss = reconstruction_loss(model, images, noise, params.kl_weight)
            loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), params.max_grad_norm)
        for group in optimiser.param_groups:
            group["lr"] = params.learning_rate.peak * learning_rate_factor(
                step,
                params.max_steps,
                params.learning_rate.warmup_steps,
                "cosine",
                params.learning_rate.final_ratio,
            )
        optimiser.step()
        optimiser.zero_grad()
        ema.update(constant_decay(params.ema_decay, step))
    with torch.no_grad():
        torch._foreach_copy_(list(model.parameters()), ema.shadows)
    model.eval().requires_grad_(False)
    deviation = latent_deviation(model, pairs, rows, device)
    if not (np.isfinite(deviation) and deviation > 0 and _decodes(model, pairs, rows[0], device)):
        raise ProjectError(
            "autoencoder.training: the training diverged, its images or latents are not finite; "
            "lower autoencoder.training.learning_rate.peak"
        )
    model.register_to_config(scaling_factor=1 / deviation)
    return model.cpu()


def _decodes(model: AutoencoderKL, pairs: PairShards, row: int, device: torch.device) -> bool:
    """Whether a beauty image comes back with finite values."""
    image = to_tensor(pairs.batch("beauty", [row]))
    return bool(round_trip(model, image, device, "fp32").isfinite().all())


def _training_side(model: AutoencoderKL, params: AutoencoderTraining, largest: int) -> int:
    side = params.crop or largest
    if side > largest or side % factor(model):
        raise ProjectError(
            f"autoencoder.training.crop: {side} must be a multiple of {factor(model)} and at most "
            f"{largest}, the images' size"
        )
    return side


@torch.no_grad()
def latent_deviation(
    autoencoder: AutoencoderKL, pairs: PairShards, rows: np.ndarray, device: torch.device
) -> float:
    """Root mean square of the unscaled posterior means, of at most 1,023 samples."""
    means: Iterator[torch.Tensor] = (
        autoencoder.encode(to_tensor(pairs.batch(name, [row])).to(device)).latent_dist.mode()
        for row in rows[:: max(1, len(rows) // 512)]
        for name in ("beauty", "albedo")
    )
    return float(torch.stack([mean.square().mean() for mean in means]).mean().sqrt())


def obtain_autoencoder(
    pairs: PairShards, rows: np.ndarray, params: AutoencoderParams, device: torch.device
) -> AutoencoderKL:
    """The autoencoder of the configured source; `rows` are the rows of the training samples.

    Raises:
        ProjectError: if a pretrained one cannot be loaded, or lacks a weight.
    """
    if params.source == "train":
        assert params.training is not None  # checked by AutoencoderParams
        return train_autoencoder(pairs, rows, params.training, device, params.precision)
    if params.source == "bundled":
        return load_pretrained(PretrainedAutoencoder(model=str(BUNDLED_AUTOENCODER)))
    assert params.pretrained is not None
    autoencoder = load_pretrained(params.pretrained)
    try:
        check_complete(autoencoder)
    except ValueError as error:
        raise ProjectError(
            f"autoencoder.pretrained.model {params.pretrained.model}: {error}"
        ) from error
    return autoencoder
