"""Pairs => rows of the latent shards, and the round trip through the autoencoder."""

import hashlib
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.pixels import latent_mask, to_tensor
from albedo_pipeline.models.autoencoder import check_divisible, encode, factor
from albedo_pipeline.models.precision import autocast
from albedo_pipeline.provenance.code import code_digest
from albedo_pipeline.provenance.weights import configuration, weights_digest
from albedo_pipeline.runtime.parallel import one_thread_each, ordered_map, usable_cores
from albedo_pipeline.shards.index import Rejected, Source
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shard_file import Row

_READERS = 2
"""Batches that are read from the disk at a time while a GPU encodes."""


class LatentBuild:
    """Every sample as it is and flipped; see `shards`.

    The bits of a convolution's result depend on the batch's size and the number of threads. So a
    GPU always gets whole batches, the last one filled up with repeats; and a CPU encodes one
    sample on each core. Then a latent depends on its own sample alone.
    """

    label = "encode"

    def __init__(
        self,
        pairs: PairShards,
        manifest: pd.DataFrame,
        autoencoder: AutoencoderKL,
        batch_size: int,
        device: torch.device,
        precision: str,
    ) -> None:
        """
        Raises:
            ProjectError: where manifest and pairs are of different runs, or images are not whole
                latent cells.
        """
        pairs.check_manifest(manifest)
        shapes = pairs.shapes("beauty")
        for shape in np.unique(shapes, axis=0):
            check_divisible(autoencoder, tuple(shape))
        self._pairs, self._autoencoder = pairs, autoencoder
        self._device, self._precision = device, precision
        self._batch_size = batch_size if device.type != "cpu" else 1
        # Images of one shape lie together, so that batches are full.
        order = np.lexsort((manifest["row"], *shapes[manifest["row"]].T[::-1]))
        self._samples = manifest.iloc[order]
        self._shapes = shapes[self._samples["row"]]
        self.cache_key = cache_key(autoencoder, precision, device.type, self._batch_size)
        self.sources = [
            Source(str(sample.sample_id), f"{sample.digest} {sample.group} {sample.split}")
            for sample in self._samples.itertuples()
        ]

    def make(self, chunks: list[list[int]], rejected: list[Rejected]) -> Iterator[list[Row]]:
        """Encode, reading ahead.

        Raises:
            ProjectError: where a latent is not finite.
        """
        batches = [batch for chunk in chunks for batch in self._batches(chunk)]
        autoencoder = self._autoencoder.to(self._device)  # type: ignore[arg-type]
        if self._device.type == "cpu":
            with one_thread_each():
                for rows in ordered_map(self._rows, batches, usable_cores()):
                    yield from ([row] for row in rows)
            return
        for batch, images in zip(batches, ordered_map(self._read, batches, _READERS), strict=True):
            yield from ([row] for row in self._encoded(autoencoder, batch, images))

    def _batches(self, chunk: list[int]) -> list[list[int]]:
        """Consecutive samples of one shape, at most `batch_size`."""
        batches: list[list[int]] = []
        for place in chunk:
            fits = batches and len(batches[-1]) < self._batch_size
            if fits and (self._shapes[place] == self._shapes[batches[-1][0]]).all():
                batches[-1].append(place)
            else:
                batches.append([place])
        return batches

    def _rows(self, batch: list[int]) -> list[Row]:
        return self._encoded(self._autoencoder, batch, self._read(batch))

    def _read(self, batch: list[int]) -> dict[str, np.ndarray]:
        rows = self._samples["row"].iloc[batch]
        return {name: self._pairs.batch(name, rows) for name in ("beauty", "albedo", "valid")}

    @torch.no_grad()
    def _encoded(
        self, autoencoder: AutoencoderKL, batch: list[int], images: dict[str, np.ndarray]
    ) -> list[Row]:
        cells = latent_mask(torch.from_numpy(images["valid"] == 1), factor(autoencoder))
        masks = torch.stack([cells, cells.flip(-1)], dim=1).to(torch.uint8).numpy()
        latents = {name: self._versions(images[name]) for name in ("beauty", "albedo")}
        return [
            {
                "sample_id": sample.sample_id,
                "group": sample.group,
                "split": sample.split,
                "valid_cells": int(masks[place, 0].sum()),
                "beauty": latents["beauty"][place],
                "albedo": latents["albedo"][place],
                "valid": masks[place],
            }
            for place, sample in enumerate(self._samples.iloc[batch].itertuples())
        ]

    def _versions(self, stored: np.ndarray) -> np.ndarray:
        """uint16 [B, 3, H, W] => float16 [B, 2, C, h, w]."""
        missing = self._batch_size - len(stored)
        whole = np.concatenate([stored, stored[-1:].repeat(missing, axis=0)])
        images = to_tensor(whole).to(self._device)
        with autocast(self._device, self._precision):
            both = [encode(self._autoencoder, v) for v in (images, images.flip(-1))]
        latents = torch.stack(both, dim=1).half()[: len(stored)].cpu()
        if not latents.isfinite().all():
            raise ProjectError("encode.precision: a latent is not finite; fp32 may help")
        return latents.numpy()


def cache_key(autoencoder: AutoencoderKL, *settings: object) -> str:
    """Digest of what the latents depend on besides the pairs: autoencoder, settings, code."""
    model = sorted(configuration(autoencoder).items()), weights_digest(autoencoder)
    parts = (*model, settings, code_digest(__name__))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
