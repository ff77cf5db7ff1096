"""Nodes of the `report` pipeline."""

from pathlib import Path

from albedo_pipeline.node_types import (
    Comparison,
    DataFrame,
    Figure,
    MoveResult,
    PairShards,
    PredictionShards,
)
from albedo_pipeline.params import ReportParams


def plot_training(training_log: DataFrame) -> Figure:
    """Loss, validation PSNR and learning rate by optimiser step."""
    from albedo_pipeline.reporting.plots.training_curves import loss_figure

    return loss_figure(training_log)


def tabulate_curves(
    training_log: DataFrame, risk_coverage: DataFrame
) -> tuple[DataFrame, DataFrame, DataFrame]:
    """Tables of the loss, the validation scores and the risk, which `dvc plots` draws."""
    from albedo_pipeline.reporting.plots.tables import loss_points, risk_points, validation_points

    return loss_points(training_log), validation_points(training_log), risk_points(risk_coverage)


def plot_metrics(metrics: dict) -> Figure:
    """Mean score and interval of every method."""
    from albedo_pipeline.provenance.lineage import check_metrics
    from albedo_pipeline.reporting.formatting import show_own_metrics
    from albedo_pipeline.reporting.plots.scores import metrics_figure
    from albedo_pipeline.reporting.sections.scores import main_split

    check_metrics(metrics, {})
    show_own_metrics(metrics.get("protocol", {}))
    return metrics_figure(metrics, main_split(metrics))


def plot_data(audit: DataFrame) -> Figure:
    """Distributions of the samples that are not quarantined."""
    from albedo_pipeline.reporting.plots.data import data_figure

    return data_figure(audit[audit["reason"] == ""])


def plot_gallery(
    metrics: dict,
    per_sample: DataFrame,
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: DataFrame,
) -> Figure:
    """Some test samples, from the best to the worst, as one picture."""
    from albedo_pipeline.provenance.lineage import check_metrics, manifest_digest
    from albedo_pipeline.reporting.plots.gallery import gallery_figure

    pairs.check_manifest(manifest)
    stored = {"predictions": predictions.fingerprint(), "pairs": manifest_digest(manifest)}
    check_metrics(metrics, stored)
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
    comparison: Comparison,
    move: MoveResult | None,
    parameters: dict,
    params: ReportParams,
) -> str:
    """The report as one HTML file."""
    from albedo_pipeline.reporting.lineage import check_report, check_tables
    from albedo_pipeline.reporting.report import report_page
    from albedo_pipeline.reporting.run_info import without_history

    check_report(
        metrics, predictions, pairs, manifest, audit_summary, autoencoder_report, train_settings
    )
    tables = {
        "quarantine": quarantine,
        "audit": audit,
        "training_log": training_log,
        "per_sample": per_sample,
        "risk_coverage": risk_coverage,
    }
    check_tables(metrics, tables)
    return report_page(
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
        # The model may have been trained with other settings than those of this run.
        parameters=parameters | {"train": without_history(train_settings)},
        history=train_settings.get("history", []),
        params=params,
        folder=Path.cwd(),
        compared=comparison,
        move=move,
    )
