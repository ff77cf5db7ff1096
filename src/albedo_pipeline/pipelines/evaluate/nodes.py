"""Nodes of `evaluate`."""

from collections.abc import Iterator

from albedo_pipeline.hints import (
    AutoencoderKL,
    DataFrame,
    Denoiser,
    PairShards,
    PredictionShards,
    Row,
)
from albedo_pipeline.params import EvaluateParams


def predict_split(
    pairs: PairShards,
    manifest: DataFrame,
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    params: EvaluateParams,
) -> Iterator[Row]:
    """Predicted albedo, and the truth's round trip, of every evaluated sample."""
    from albedo_pipeline.inference.predictions import predictions

    return predictions(pairs, manifest, denoiser, autoencoder, params)


def score(
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: DataFrame,
    params: EvaluateParams,
) -> tuple[DataFrame, dict]:
    """Scores of model, baselines and ceiling: sample by sample, and their means."""
    from albedo_pipeline.inference.scores import score_table
    from albedo_pipeline.inference.summary import summarise

    per_sample = score_table(predictions, pairs, manifest, params.retinex)
    return per_sample, summarise(per_sample, predictions, params)
