"""Pairs and models => prediction shards: the shard build of `evaluate` and `compare`."""

import hashlib

import numpy as np
import pandas as pd

from albedo_pipeline.evaluation.predictions import EvaluatedSample, SplitPredictor
from albedo_pipeline.params.compute import ComputeParams
from albedo_pipeline.provenance.code import code_digest
from albedo_pipeline.shards.index import Rejected
from albedo_pipeline.shards.manifest_sources import ManifestSources
from albedo_pipeline.shards.pair_shards import PairShards


class PredictionBuild:
    """Shard build of the predictions of the configured splits; see `shards`."""

    companions = 0

    def __init__(
        self,
        pairs: PairShards,
        samples: pd.DataFrame,
        predictor: SplitPredictor,
        label: str,
        compute: ComputeParams,
        parts: tuple[object, ...],
    ) -> None:
        """
        Args:
            pairs: the images.
            samples: rows of the manifest, in the order of the predictions.
            predictor: makes the rows.
            label: the pipeline, for logs and errors.
            compute: where the predictions are made.
            parts: what a prediction depends on, such as the digest of the lineage, beside the code
                of this module and of those that it imports.
        """
        self._shapes = pairs.shapes("beauty")
        self.label, self.compute, self.make = label, compute, predictor.rows
        content = (*parts, code_digest(__name__))
        self.cache_key = hashlib.sha256(repr(content).encode()).hexdigest()[:16]
        self.sources = ManifestSources(samples, np.arange(len(samples)))

    def item(self, source: int) -> EvaluatedSample:
        """The sample, as its row of the manifest describes it."""
        row, sample_id, _, group, split = self.sources.sample(source)
        return EvaluatedSample(row, sample_id, group, split, tuple(self._shapes[row].tolist()))

    def check_rejected(self, rejected: list[Rejected]) -> None:
        """No sample is ever rejected."""
