"""Checks that what a report or a model card shows belongs together."""

from collections.abc import Mapping

import pandas as pd

from albedo_pipeline.params.training_loop import weight_settings
from albedo_pipeline.provenance.lineage import (
    check_content,
    check_denoiser,
    check_is_object,
    check_made_from,
    check_manifest,
    check_metrics,
    check_table,
    content_digest,
    manifest_digest,
)
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PredictionShards


def check_report(
    metrics: dict,
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: pd.DataFrame,
    audit_summary: dict,
    autoencoder_report: dict,
    train_settings: dict,
) -> None:
    """Check that all parts of a report are of the pairs, models and predictions that were scored.

    Raises:
        ProjectError: if one is not, or the metrics were changed; says which pipelines to run again.
    """
    check_is_object("train_settings", train_settings, "the pipeline train")
    pairs.check_manifest(manifest)
    check_manifest(manifest)
    stored = {
        "predictions": predictions.fingerprint(),
        "pairs": manifest_digest(manifest),
        "train_settings": content_digest(weight_settings(train_settings)),
    }
    check_metrics(metrics, stored)
    check_summary(metrics, audit_summary)
    check_made_from(
        "autoencoder_report",
        autoencoder_report,
        {"encoder": metrics["lineage"]["encoder"]},
        "the pipelines autoencoder, encode, train and evaluate",
    )
    check_content("autoencoder_report", autoencoder_report, "the pipeline autoencoder")


def check_tables(metrics: dict, tables: Mapping[str, pd.DataFrame]) -> None:
    """Check that the tables of a report are of the pairs, model and predictions that were scored.

    Args:
        metrics: content of `metrics.json`, checked by `check_metrics`.
        tables: quarantine, audit, training_log, per_sample and risk_coverage, by these names.

    Raises:
        ProjectError: if one is not, or was changed; says which pipelines to run again.
    """
    lineage = metrics["lineage"]
    of_pairs = {"pairs": lineage["pairs"]}
    trained = {name: lineage[name] for name in ("encoder", "autoencoder", "train_settings")}
    scored = {
        "predictions": lineage["predictions"],
        "protocol": metrics["protocol"]["fingerprint"],
    }
    for names, at_hand, pipelines in (
        (("quarantine", "audit"), of_pairs, "the pipelines ingest and evaluate"),
        (("training_log",), trained, "the pipelines train and evaluate"),
        (("per_sample", "risk_coverage"), scored, "the pipeline evaluate"),
    ):
        for name in names:
            check_table(name, tables[name], at_hand, pipelines)


def check_export(
    weights: dict[str, str],
    made_from: dict[str, str],
    latents: LatentShards,
    metrics: dict,
    audit_summary: dict,
    train_settings: dict,
) -> None:
    """Check that model, scores and settings of an export belong together.

    Args:
        weights: digests of the models, by `denoiser` and `autoencoder`.
        made_from: digests of what the denoiser was trained with.
        latents: the project's own latents.
        metrics: content of `metrics.json`.
        audit_summary: totals of the audit.
        train_settings: resolved settings of the training run.

    Raises:
        ProjectError: if they do not, or the metrics were changed; says which pipelines to run
            again.
    """
    check_is_object("train_settings", train_settings, "the pipeline train")
    trained_with = {
        "autoencoder": weights["autoencoder"],
        "train_settings": content_digest(weight_settings(train_settings)),
        "latents": latents.fingerprint(),
    }
    check_denoiser(made_from, trained_with)
    check_metrics(metrics, weights)
    check_summary(metrics, audit_summary)


def check_summary(metrics: dict, audit_summary: dict) -> None:
    """Check that a summary of the audit is of the pairs that were scored, and as it was made.

    Args:
        metrics: content of `metrics.json`, checked by `check_metrics`.
        audit_summary: totals of the audit.

    Raises:
        ProjectError: if it is of others, or was changed.
    """
    scored = {"pairs": metrics["lineage"]["pairs"]}
    check_made_from("audit_summary", audit_summary, scored, "the pipelines ingest and evaluate")
    check_content("audit_summary", audit_summary, "the pipeline ingest")
