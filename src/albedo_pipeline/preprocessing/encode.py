"""Pairs => latent shards: the shard build that `encode` returns."""

import hashlib
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.models.autoencoder import check_divisible
from albedo_pipeline.preprocessing.latent_rows import LatentEncoder
from albedo_pipeline.provenance.code import code_digest
from albedo_pipeline.provenance.lineage import check_manifest
from albedo_pipeline.provenance.weights import encoder_digest
from albedo_pipeline.shards.index import Rejected, Source
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shard_file import Row


class LatentBuild:
    """Shard build of the latents: every sample, as it is and flipped; see `shards`."""

    label = "encode"
    companions = 0

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
            ProjectError: if manifest and pairs are of different runs, the manifest was changed, or
                the size of an image is not a multiple of the autoencoder's factor.
        """
        pairs.check_manifest(manifest)
        check_manifest(manifest)
        shapes = pairs.shapes("beauty")
        for shape in np.unique(shapes, axis=0):
            check_divisible(autoencoder, tuple(shape))
        # Images of one shape lie together, so that batches are full.
        order = np.lexsort((manifest["row"], *shapes[manifest["row"]].T[::-1]))
        samples = manifest.iloc[order]
        self._encoder = LatentEncoder(pairs, samples, autoencoder, batch_size, device, precision)
        self.cache_key = cache_key(autoencoder, precision, device.type, self._encoder.batch_size)
        self.sources = [
            Source(str(sample.sample_id), f"{sample.digest} {sample.group} {sample.split}")
            for sample in samples.itertuples()
        ]

    def make(self, chunks: list[list[int]], rejected: list[Rejected]) -> Iterator[list[Row]]:
        """Encode the samples, one row each.

        Raises:
            ProjectError: if a latent is not finite.
        """
        for row in self._encoder.rows(chunks):
            yield [row]


def cache_key(autoencoder: AutoencoderKL, *settings: object) -> str:
    """Digest of what the latents depend on besides the pairs: encoder, settings, code.

    Another decoder leaves the latents valid. The code is the module of `LatentEncoder`, and what it
    imports.
    """
    parts = (encoder_digest(autoencoder), settings, code_digest(LatentEncoder.__module__))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
