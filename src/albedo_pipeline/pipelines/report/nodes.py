"""Nodes of `report`."""

from pathlib import Path

from albedo_pipeline.node_types import DataFrame, Figure, PairShards, PredictionShards
from albedo_pipeline.params import ReportParams


def plot_training(training_log: DataFrame) -> Figure:
    """Losses, validation and learning rate by optimiser step."""
    from albedo_pipeline.reporting.plots.training_curves import loss_figure

    return loss_figure(training_log)


def tabulate_curves(
    training_log: DataFrame, risk_coverage: DataFrame
) -> tuple[DataFrame, DataFrame, DataFrame]:
    """Loss, validation scores and risk as the tables that `dvc plots` draws."""
    from albedo_pipeline.reporting.plots.tables import loss_points, risk_points, validation_points

    return loss_points(training_log), validation_points(training_log), risk_points(risk_coverage)


def plot_metrics(metrics: dict) -> Figure:
    """Every method's means and intervals."""
    from albedo_pipeline.reporting.plots.scores import metrics_figure
    from albedo_pipeline.reporting.sections.scores import main_split

    return metrics_figure(metrics, main_split(metrics))


def plot_data(audit: DataFrame) -> Figure:
    """How the samples in use are distributed."""
    from albedo_pipeline.reporting.plots.data import data_figure

    return data_figure(audit[audit["reason"] == ""])


def plot_gallery(
    metrics: dict,
    per_sample: DataFrame,
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: DataFrame,
) -> Figure:
    """A spread of samples, from the best to the worst, as one picture."""
    from albedo_pipeline.provenance.lineage import check_predictions
    from albedo_pipeline.reporting.plots.gallery import gallery_figure

    check_predictions(metrics, predictions.fingerprint())
    return gallery_figure(per_sample, predictions, pairs, manifest, per_sample["split"].iloc[0])


def write_report(
    metrics: dict,
    per_sample: DataFrame,
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: DataFrame,
    risk_coverage: DataFrame,
    training_log: DataFrame,
    audit: DataFrame,
    audit_summary: dict,
    quarantine: DataFrame,
    autoencoder_report: dict,
    train_settings: dict,
    parameters: dict,
    params: ReportParams,
) -> str:
    """One HTML file with everything in it."""
    from albedo_pipeline.provenance.lineage import check_predictions
    from albedo_pipeline.reporting.report import write_html

    check_predictions(metrics, predictions.fingerprint())
    return write_html(
        metrics=metrics,
        per_sample=per_sample,
        predictions=predictions,
        pairs=pairs,
        manifest=manifest,
        risk_coverage=risk_coverage,
        training_log=training_log,
        audit=audit,
        audit_summary=audit_summary,
        quarantine=quarantine,
        autoencoder_report=autoencoder_report,
        # What was trained may have been trained with other settings than those of this run.
        parameters=parameters | {"train": train_settings},
        params=params,
        folder=Path.cwd(),
    )
