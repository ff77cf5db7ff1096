"""Batches of the autoencoder's training: crops of beauty and albedo images."""

from dataclasses import dataclass

import numpy as np
import torch

from albedo_pipeline.diffusion.noise import gaussian
from albedo_pipeline.diffusion.seeds import Purpose, generator
from albedo_pipeline.imaging.pixels import to_tensor
from albedo_pipeline.params.autoencoder_training import AutoencoderTraining
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.training.batches import DeviceBatch, sample_at, source_at
from albedo_pipeline.training.stored_latents import StoredLatents

_KINDS = ("beauty", "albedo")


@dataclass(frozen=True)
class ImageBatch(DeviceBatch):
    """Images of one optimiser step, or some of them."""

    images: torch.Tensor
    """float32 [B, 3, H, W], sRGB-encoded, in [-1, 1]."""
    noise: torch.Tensor
    """Standard normal noise for the posterior's sample, float32 [B, C, h, w]."""
    mix: torch.Tensor
    """Share of the image, uniform in [0, 1), where the discriminators' gradient is penalised
    between image and reconstruction, float32 [B]."""


@dataclass(frozen=True)
class EncodedImageBatch(ImageBatch):
    """Images with their latents; there is no noise, because a posterior's mean is decoded."""

    latents: torch.Tensor
    """Stored latents of the images, float32 [B, C, h, w]."""


class ImageStream:
    """All images that the training uses, in their order."""

    def __init__(
        self,
        pairs: PairShards,
        rows: np.ndarray,
        params: AutoencoderTraining,
        side: int,
        latent_shape: tuple[int, int, int],
        latents: StoredLatents | None = None,
    ) -> None:
        """
        Args:
            pairs: the images.
            rows: rows of the training samples.
            params: settings of the training.
            side: width and height of the crops, pixels.
            latent_shape: [C, h, w] of a crop's latent.
            latents: stored latents that come with the images; None: the images are encoded in the
                training step.
        """
        self._pairs, self._rows, self._params = pairs, rows, params
        self._side, self._latent_shape, self._latents = side, latent_shape, latents
        self._shares = (1 - params.albedo_share, params.albedo_share)

    def __len__(self) -> int:
        """Number of images, which make an epoch."""
        return len(self._rows) * sum(share > 0 for share in self._shares)

    def _find(self, step: int, place: int) -> tuple[str, int]:
        """Kind and row of the image at a place in the effective batch of `step`."""
        position = step * self._params.effective_batch_size + place
        kind, position = source_at(self._shares, position)
        return _KINDS[kind], int(
            self._rows[sample_at(len(self._rows), self._params.seed, position, kind)]
        )

    def sample_ids(self, step: int) -> list[str]:
        """The sample_ids of the effective batch of `step`."""
        places = range(self._params.effective_batch_size)
        rows = (self._find(step, place)[1] for place in places)
        return [self._pairs.column("sample_id")[row].as_py() for row in rows]

    def batch(self, step: int, places: range) -> ImageBatch:
        """The images at some places in the effective batch of `step`, on the CPU.

        Order, crops, flips, noise and mix depend on seed, step and place only.
        """
        columns = zip(*(self._draw(step, place) for place in places), strict=True)
        crops, *others = columns
        images, (noise, *latents) = to_tensor(np.stack(crops)), map(torch.stack, others)
        mix = torch.tensor([self._mix(step, place) for place in places])
        if latents:
            return EncodedImageBatch(images, noise, mix, *latents)
        return ImageBatch(images, noise, mix)

    def _mix(self, step: int, place: int) -> float:
        """Share of the image at a place in the effective batch of `step`; see `ImageBatch`."""
        return generator(self._params.seed, Purpose.INTERPOLATION, step, place).random()

    def _draw(self, step: int, place: int) -> tuple[np.ndarray, *tuple[torch.Tensor, ...]]:
        """A random crop, half of them flipped, its noise, and its latent if there is one."""
        random, side = generator(self._params.seed, Purpose.AUTOENCODER, step, place), self._side
        kind, row = self._find(step, place)
        image = self._pairs.tensor(kind, row)
        # Stored latents can be cut at their cells only.
        cell = self._latents.cell if self._latents else 1
        top, left = (
            cell * int(random.integers((length - side) // cell + 1)) for length in image.shape[1:]
        )
        crop = image[:, top : top + side, left : left + side]
        is_flipped = bool(random.random() < 0.5)
        crop = crop[..., ::-1] if is_flipped else crop
        if self._latents is None:
            return crop, gaussian(random, self._latent_shape)
        latent = self._latents.crop(kind, row, top, left, side, flipped=is_flipped)
        return crop, torch.zeros(0), latent
