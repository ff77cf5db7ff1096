"""Nodes of `evaluate`."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from albedo_pipeline.datasets.pair_shards import PairShards
from albedo_pipeline.datasets.prediction_shards import PredictionShards
from albedo_pipeline.datasets.shards import Row
from albedo_pipeline.params import EvaluateParams


def predict_split(
    pairs: PairShards,
    manifest: pd.DataFrame,
    denoiser: Any,
    autoencoder: Any,
    params: EvaluateParams,
) -> Iterator[Row]:
    """Predicted albedo, and the truth's round trip, of every evaluated sample."""
    from albedo_pipeline.inference.predictions import predictions

    return predictions(pairs, manifest, denoiser, autoencoder, params)


def score(
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: pd.DataFrame,
    params: EvaluateParams,
) -> tuple[pd.DataFrame, dict]:
    """Scores of model, baselines and ceiling: sample by sample, and their means."""
    from albedo_pipeline.inference.scores import score_table
    from albedo_pipeline.inference.summary import summarise

    per_sample = score_table(predictions, pairs, manifest, params.retinex)
    return per_sample, summarise(per_sample, predictions, params)
