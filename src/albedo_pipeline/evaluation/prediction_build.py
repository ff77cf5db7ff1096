"""Pairs and models => prediction shards: the shard build that `evaluate` returns."""

import hashlib

import numpy as np
import pandas as pd

from albedo_pipeline.evaluation.predictions import EvaluatedSample, SplitPredictor
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.provenance.code import code_digest
from albedo_pipeline.provenance.lineage import content_digest
from albedo_pipeline.shards.index import Rejected
from albedo_pipeline.shards.manifest_sources import ManifestSources
from albedo_pipeline.shards.pair_shards import PairShards

_SAMPLING = {
    "checkpoint",
    "steps",
    "ensemble",
    "reduction",
    "seed",
    "precision",
    "compile",
    "compare_with",
    "splits",
}
"""Settings that a prediction depends on, or that decide the batches; the lineage has the weights
and all pairs."""


class PredictionBuild:
    """Shard build of the predictions of the configured splits; see `shards`."""

    label = "evaluate"
    companions = 0

    def __init__(
        self,
        pairs: PairShards,
        samples: pd.DataFrame,
        predictor: SplitPredictor,
        lineage: dict,
        params: EvaluateParams,
        parts: tuple[object, ...],
    ) -> None:
        """
        Args:
            pairs: the images.
            samples: rows of the manifest, in the order of the predictions.
            predictor: makes the rows.
            lineage: digests of all models and pairs.
            params: settings.
            parts: whatever else a prediction depends on.
        """
        self._shapes = pairs.shapes("beauty")
        self.compute, self.make = params.compute, predictor.rows
        settings = params.model_dump_json(include=_SAMPLING)
        content = (content_digest(lineage), settings, *parts, code_digest(__name__))
        self.cache_key = hashlib.sha256(repr(content).encode()).hexdigest()[:16]
        self.sources = ManifestSources(samples, np.arange(len(samples)))

    def item(self, source: int) -> EvaluatedSample:
        """The sample, as its row of the manifest describes it."""
        row, sample_id, _, group, split = self.sources.sample(source)
        return EvaluatedSample(row, sample_id, group, split, tuple(self._shapes[row].tolist()))

    def check_rejected(self, rejected: list[Rejected]) -> None:
        """No sample is ever rejected."""
