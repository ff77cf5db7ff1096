"""Nodes of `evaluate`."""

from albedo_pipeline.node_types import (
    AutoencoderKL,
    DataFrame,
    Denoiser,
    PairShards,
    PredictionShards,
    ShardBuild,
)
from albedo_pipeline.params import EvaluateParams


def predict_split(
    pairs: PairShards,
    manifest: DataFrame,
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    lineage: dict,
    params: EvaluateParams,
) -> ShardBuild:
    """The build of the predicted albedo of every evaluated sample, and of its round trip."""
    from albedo_pipeline.evaluation.prediction_build import PredictionBuild
    from albedo_pipeline.evaluation.protocols import protocol
    from albedo_pipeline.runtime.device import device_for

    protocol(params.protocol, params.lpips_weights)  # a file that cannot be read fails early
    device = device_for(params.device, params.precision, params.compute.worker_gpus)
    return PredictionBuild(pairs, manifest, denoiser, autoencoder, device, lineage, params)


def describe_inputs(
    manifest: DataFrame, denoiser: Denoiser, autoencoder: AutoencoderKL, params: EvaluateParams
) -> dict:
    """Digests of the data, the training and the weights that the scores come from."""
    from albedo_pipeline.evaluation.lineage import lineage_of

    return lineage_of(manifest, denoiser, autoencoder, params)


def score(
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: DataFrame,
    lineage: dict,
    params: EvaluateParams,
) -> tuple[DataFrame, DataFrame, dict, dict]:
    """The scores of the model, the baselines and the autoencoder's round trip.

    Returns:
        The scores of every sample, the risk-coverage curves, the metrics with their intervals, and
        the headline: the metrics of the model alone.
    """
    from albedo_pipeline.evaluation.lineage import check_inputs
    from albedo_pipeline.evaluation.protocols import protocol
    from albedo_pipeline.evaluation.scores import score_table
    from albedo_pipeline.evaluation.summary import describe, headline, summarise
    from albedo_pipeline.provenance.lineage import with_content_digest, with_table_digests

    check_inputs(predictions, pairs, manifest, lineage)
    chosen = protocol(params.protocol, params.lpips_weights)
    per_sample, curves = score_table(predictions, pairs, manifest, chosen, params.retinex)
    metrics = {
        "protocol": describe(chosen, predictions, manifest, params),
        "lineage": lineage | {"predictions": predictions.fingerprint()},
    }
    metrics |= summarise(per_sample, params.bootstrap)
    scored = {
        "predictions": metrics["lineage"]["predictions"],
        "protocol": metrics["protocol"]["fingerprint"],
    }
    per_sample, curves = (with_table_digests(table, scored) for table in (per_sample, curves))
    return per_sample, curves, with_content_digest(metrics), headline(metrics)
