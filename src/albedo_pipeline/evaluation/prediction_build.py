"""Pairs and models => prediction shards: the shard build that `evaluate` returns."""

import hashlib

import numpy as np
import pandas as pd
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.evaluation.predictions import EvaluatedSample, SplitPredictor
from albedo_pipeline.models.albedo_model import AlbedoModel
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.provenance.code import code_digest
from albedo_pipeline.provenance.lineage import PAIR_COLUMNS, content_digest
from albedo_pipeline.shards.index import Rejected, Source
from albedo_pipeline.shards.pair_shards import PairShards

_SAMPLING = {"steps", "ensemble", "reduction", "seed", "precision", "compile", "compare_with"}
"""Settings that a prediction depends on; the lineage has the weights and all pairs."""


class PredictionBuild:
    """Shard build of the predictions of the configured splits; see `shards`."""

    label = "evaluate"
    companions = 0

    def __init__(
        self,
        pairs: PairShards,
        manifest: pd.DataFrame,
        denoiser: Denoiser,
        autoencoder: AutoencoderKL,
        device: torch.device,
        lineage: dict,
        params: EvaluateParams,
    ) -> None:
        """
        Raises:
            ProjectError: if the splits have no sample, manifest and pairs are from different runs,
                or a model to compare with cannot be loaded.
        """
        pairs.check_manifest(manifest)
        chosen = manifest[manifest["split"].isin(params.splits)]
        if chosen.empty:
            raise ProjectError(f"evaluate.splits: no sample is in {', '.join(params.splits)}")
        self._shapes = pairs.shapes("beauty")
        # Images of one shape lie together, so that batches are full.
        order = np.lexsort((chosen["row"], *self._shapes[chosen["row"]].T[::-1]))
        self._columns = [chosen[name].to_numpy()[order] for name in ("row", *PAIR_COLUMNS)]
        self.compute = params.compute
        model, made_from = AlbedoModel(denoiser, autoencoder), content_digest(lineage)
        predictor = SplitPredictor(pairs, model, params, device, made_from)
        self.make = predictor.rows
        settings = params.model_dump_json(include=_SAMPLING | {"splits"})  # decide the batches
        parts = (made_from, settings, device.type, predictor.images_per_batch)
        self.cache_key = _cache_key(denoiser, *parts)
        self.sources = [
            Source(sample_id, f"{digest} {group} {split}")
            for _, sample_id, digest, group, split in zip(*self._columns, strict=True)
        ]

    def item(self, source: int) -> EvaluatedSample:
        """The sample, as its row of the manifest describes it."""
        row, sample_id, _, group, split = (column[source] for column in self._columns)
        return EvaluatedSample(int(row), sample_id, group, split, tuple(self._shapes[row].tolist()))

    def check_rejected(self, rejected: list[Rejected]) -> None:
        """No sample is ever rejected."""


def _cache_key(denoiser: Denoiser, *parts: object) -> str:
    """Digest of what the predictions depend on: weights, settings, the schedule, and the code."""
    schedule = sorted((name, repr(value)) for name, value in denoiser.scheduler.config.items())
    content = (*parts, schedule, code_digest(SplitPredictor.__module__))
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]
