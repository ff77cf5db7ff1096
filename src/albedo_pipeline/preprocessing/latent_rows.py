"""Pairs => rows of the latent shards, encoded on a CPU or a GPU."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import NamedTuple

import numpy as np
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.pixels import latent_mask, to_tensor
from albedo_pipeline.models.autoencoder import encode, factor
from albedo_pipeline.models.precision import autocast
from albedo_pipeline.provenance.weights import encoder_digest
from albedo_pipeline.runtime.device import memory_named, open_device
from albedo_pipeline.runtime.parallel import one_thread_each, ordered_map, usable_cores
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shard_file import Row

_READERS = 2
"""Number of threads that read and convert batches while a GPU encodes."""


class LatentSample(NamedTuple):
    """One sample whose latents are wanted: what the manifest says of it."""

    row: int
    """Number of its row in the pairs."""
    sample_id: str
    digest: str
    """Digest of the pair."""
    group: str
    split: str
    shape: tuple[int, ...]
    """Shape of its images, [3, H, W]."""


@dataclass(frozen=True)
class _Images:
    """A batch of samples, ready to be copied to the device."""

    samples: list[LatentSample]
    beauty: torch.Tensor
    """float32 [B', 3, H, W], sRGB-encoded, in [-1, 1]; filled up to the batch size."""
    albedo: torch.Tensor
    """float32 [B', 3, H, W], sRGB-encoded, in [-1, 1]; filled up to the batch size."""
    masks: np.ndarray
    """Valid latent cells, uint8 [B, 2, 1, h, w]: as they are, and flipped."""


class LatentEncoder:
    """Encodes samples so that a latent depends on its own sample alone.

    The bits of a convolution's result depend on the batch size and the number of threads. So a GPU
    always gets full batches, the last one filled up with repeats, and a CPU encodes one sample per
    core.
    """

    def __init__(
        self,
        pairs: PairShards,
        autoencoder: AutoencoderKL,
        batch_size: int,
        device: torch.device,
        precision: str,
    ) -> None:
        """
        Args:
            pairs: the images.
            autoencoder: is moved to the device when the encoding starts.
            batch_size: number of images that a GPU encodes at a time.
            device: where the autoencoder runs.
            precision: `fp32`, `tf32`, `bf16` or `fp16`, of the encoder.
        """
        self.batch_size = batch_size if device.type != "cpu" else 1
        self._pairs, self._autoencoder = pairs, autoencoder
        self._device, self._precision = device, precision
        self._encoder_digest = encoder_digest(autoencoder)

    def rows(self, chunks: Iterable[Sequence[LatentSample]]) -> Iterator[list[Row]]:
        """Encode samples, one row each, reading ahead; a batch does not cross a chunk's end.

        Raises:
            ProjectError: if a latent is not finite, or the memory is too small.
        """
        batches = (batch for chunk in chunks for batch in self._batches(chunk))
        open_device(self._device.type, self._precision)  # in the process that encodes
        self._autoencoder.to(self._device)  # type: ignore[arg-type]
        if self._device.type == "cpu":
            with one_thread_each():
                for rows in ordered_map(self._read_and_encode, batches, usable_cores()):
                    yield from rows
            return
        for images in ordered_map(self._read, batches, _READERS):
            yield from self._encoded(images)

    def _batches(self, chunk: Sequence[LatentSample]) -> Iterator[list[LatentSample]]:
        """Consecutive samples of one shape, at most `batch_size`."""
        for _, alike in groupby(chunk, key=lambda sample: sample.shape):
            while batch := list(islice(alike, self.batch_size)):
                yield batch

    def _read_and_encode(self, batch: list[LatentSample]) -> list[list[Row]]:
        return self._encoded(self._read(batch))

    def _read(self, batch: list[LatentSample]) -> _Images:
        rows = [sample.row for sample in batch]
        valid = torch.from_numpy(self._pairs.batch("valid", rows) == 1)
        cells = latent_mask(valid, factor(self._autoencoder))
        beauty, albedo = (self._full_batch(name, rows) for name in ("beauty", "albedo"))
        masks = torch.stack([cells, cells.flip(-1)], dim=1).to(torch.uint8).numpy()
        return _Images(batch, beauty, albedo, masks)

    def _full_batch(self, name: str, rows: list[int]) -> torch.Tensor:
        stored = self._pairs.batch(name, rows)
        missing = self.batch_size - len(stored)
        full = to_tensor(np.concatenate([stored, stored[-1:].repeat(missing, axis=0)]))
        return full.pin_memory() if self._device.type == "cuda" else full

    @torch.no_grad()
    def _encoded(self, images: _Images) -> list[list[Row]]:
        beauty, albedo = (
            self._both_versions(full, len(images.samples))
            for full in (images.beauty, images.albedo)
        )
        return [
            [
                {
                    "sample_id": sample.sample_id,
                    "group": sample.group,
                    "split": sample.split,
                    "valid_cells": int(images.masks[place, 0].sum()),
                    "pair_digest": sample.digest,
                    "encoder_digest": self._encoder_digest,
                    "beauty": beauty[place],
                    "albedo": albedo[place],
                    "valid": images.masks[place],
                }
            ]
            for place, sample in enumerate(images.samples)
        ]

    def _both_versions(self, images: torch.Tensor, count: int) -> np.ndarray:
        """float32 [B', 3, H, W] => float16 [count, 2, C, h, w]: as it is, and flipped."""
        with memory_named(f"encode.batch_size (it is {self.batch_size})"):
            latents = both_versions(self._autoencoder, images, self._device, self._precision)
        latents = latents[:count]
        if not latents.isfinite().all():
            if self._precision != "fp32":
                raise ProjectError(
                    f"encode.precision: a latent is not finite in {self._precision}; set fp32"
                )
            raise ProjectError(
                "autoencoder: a latent is not finite, or too large for float16; run the pipeline "
                "autoencoder again with a lower learning rate, or choose another source"
            )
        return latents.numpy()


@torch.no_grad()
def both_versions(
    autoencoder: AutoencoderKL, images: torch.Tensor, device: torch.device, precision: str
) -> torch.Tensor:
    """Latents of images as they are and flipped, float16 [B, 2, C, h, w] on the CPU.

    Args:
        autoencoder: is on `device`.
        images: float32 [B, 3, H, W], sRGB-encoded, in [-1, 1]; from pinned memory the copy to a GPU
            is not waited for.
        device: where the autoencoder runs.
        precision: `fp32`, `tf32`, `bf16` or `fp16`, of the encoder.
    """
    images = images.to(device, non_blocking=True)
    with autocast(device, precision):
        both = [encode(autoencoder, version) for version in (images, images.flip(-1))]
    return torch.stack(both, dim=1).half().cpu()
