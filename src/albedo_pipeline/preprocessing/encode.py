"""Pairs => latent shards: the shard build that `encode` returns."""

import hashlib

import numpy as np
import pandas as pd
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.models.autoencoder import check_divisible
from albedo_pipeline.params.compute import LOCAL, ComputeParams
from albedo_pipeline.preprocessing.latent_rows import LatentEncoder, LatentSample
from albedo_pipeline.provenance.code import code_digest
from albedo_pipeline.provenance.lineage import check_manifest
from albedo_pipeline.provenance.weights import encoder_digest
from albedo_pipeline.shards.index import Rejected
from albedo_pipeline.shards.manifest_sources import ManifestSources
from albedo_pipeline.shards.pair_shards import PairShards


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
        compute: ComputeParams = LOCAL,
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
        self._shapes, self.compute = shapes, compute
        encoder = LatentEncoder(pairs, autoencoder, batch_size, device, precision)
        self.make = encoder.rows
        self.cache_key = cache_key(autoencoder, precision, device.type, encoder.batch_size)
        self.sources = ManifestSources(manifest, order)

    def item(self, source: int) -> LatentSample:
        """The sample, as its row of the manifest describes it."""
        row, sample_id, digest, group, split = self.sources.sample(source)
        shape = tuple(self._shapes[row].tolist())
        return LatentSample(row, sample_id, digest, group, split, shape)

    def check_rejected(self, rejected: list[Rejected]) -> None:
        """No sample is ever rejected."""


def cache_key(autoencoder: AutoencoderKL, *settings: object) -> str:
    """Digest of what the latents depend on besides the pairs: encoder, settings, code.

    Another decoder leaves the latents valid. The code is the module of `LatentEncoder`, and what it
    imports.
    """
    parts = (encoder_digest(autoencoder), settings, code_digest(LatentEncoder.__module__))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
