"""The report: one HTML file that needs no network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure

from albedo_pipeline.artifacts.camera_move import MoveResult
from albedo_pipeline.artifacts.comparison import Comparison as EstimatorComparison
from albedo_pipeline.imaging.colormap import ERROR_LIMIT, coloured
from albedo_pipeline.params import EvaluateParams, ReportParams
from albedo_pipeline.provenance.lineage import run_of, without_content
from albedo_pipeline.reporting.formatting import count, plain, show_own_metrics
from albedo_pipeline.reporting.images import png_uri
from albedo_pipeline.reporting.plots.comparison import comparison_figure
from albedo_pipeline.reporting.plots.data import data_figure
from albedo_pipeline.reporting.plots.scores import (
    NARROW,
    WIDE,
    distributions_figure,
    metrics_figure,
    risk_figure,
)
from albedo_pipeline.reporting.plots.themes import Theme, light_and_dark
from albedo_pipeline.reporting.plots.training_curves import autoencoder_figure, loss_figure
from albedo_pipeline.reporting.run_info import (
    as_yaml,
    course_changes,
    labelled_values,
    protocol_details,
    resolved_parameters,
    run_details,
)
from albedo_pipeline.reporting.sections.camera_move import move_section
from albedo_pipeline.reporting.sections.comparison import Comparison, compare
from albedo_pipeline.reporting.sections.data import data_section
from albedo_pipeline.reporting.sections.estimators import section_of
from albedo_pipeline.reporting.sections.gallery import Gallery, make_gallery
from albedo_pipeline.reporting.sections.headline import headline, score_sentence
from albedo_pipeline.reporting.sections.light_sets import light_sets, picture_count, strips
from albedo_pipeline.reporting.sections.score_table import all_split_scores
from albedo_pipeline.reporting.sections.scores import confidence, main_split
from albedo_pipeline.reporting.sections.uncertainty_summary import uncertainty_sentence
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PredictionShards

TEMPLATES = Path(__file__).parent / "templates"


def report_page(
    *,
    metrics: dict,
    per_sample: pd.DataFrame,
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: pd.DataFrame,
    risk_coverage: pd.DataFrame,
    training_log: pd.DataFrame,
    audit: pd.DataFrame,
    audit_summary: dict,
    quarantine: pd.DataFrame,
    autoencoder_report: dict,
    parameters: dict,
    history: list[dict],
    params: ReportParams,
    folder: Path,
    compared: EstimatorComparison | None = None,
    move: MoveResult | None = None,
) -> str:
    """The report as HTML text; everything that comes from data is escaped.

    Args:
        parameters: all parameters of the run, as Kedro has them; values may be models.
        history: changes of course in the training, as `train_settings.json` has them.
        folder: a folder that may be inside the run's git repository.
        compared: estimators side by side; None if there is no comparison.
        move: the predicted camera move; None if there is none.

    Raises:
        ProjectError: if no split was evaluated, or a scored sample has no prediction or is not in
            the manifest; names the sample.
    """
    for results in (metrics, compared.results if compared else {}):
        show_own_metrics(results.get("protocol", {}))
    split = main_split(metrics)
    settings = resolved_parameters(parameters)
    percent = confidence(metrics, settings)
    comparison = _comparison(metrics, per_sample, split, settings, params)
    sets = light_sets(per_sample, split)
    stored = predictions, pairs, manifest
    gallery = make_gallery(per_sample, *stored, split, params.gallery, picture_count(sets))
    used = audit[audit["reason"] == ""]
    return _render(
        title=params.title,
        headline=score_sentence(metrics, split),
        details=headline(metrics, split, percent),
        split=split,
        run=run_of(training_log),
        run_details=run_details(settings, folder),
        settings=as_yaml(settings),
        data=data_section(audit, audit_summary, quarantine),
        data_plots=_wide_and_narrow(lambda *options: data_figure(used, *options)),
        autoencoder=labelled_values(_without_course(autoencoder_report)),
        autoencoder_course=_autoencoder_plot(autoencoder_report),
        tables=all_split_scores(metrics),
        percent=percent,
        protocol=protocol_details(metrics.get("protocol", {})),
        protocol_name=metrics.get("protocol", {}).get("name"),
        longer_side=metrics.get("protocol", {}).get("processing", {}).get("longer_side"),
        lineage=labelled_values(metrics.get("lineage", {})),
        comparison=comparison,
        estimators=section_of(compared, metrics),
        comparison_plot=_comparison_plot(comparison),
        loss=_wide_and_narrow(lambda *options: loss_figure(training_log, *options)),
        means=_wide_and_narrow(lambda *options: metrics_figure(metrics, split, *options)),
        distributions=_wide_and_narrow(
            lambda *options: distributions_figure(per_sample, split, *options)
        ),
        risk=_risk_plot(risk_coverage, split),
        uncertainty_sentence=uncertainty_sentence(metrics[split]),
        log_points=_log_points(training_log),
        history=course_changes(history),
        gallery=gallery,
        gallery_note=_gallery_note(gallery, split),
        move=move_section(move, metrics),
        strips=strips(sets, *stored, gallery.shown_side),
        colour_bar=png_uri(coloured(np.linspace(0, 1, 128))[None]),
        error_limit=ERROR_LIMIT,
    )


def _render(**values: Any) -> str:
    """Fill the template with escaped values; a missing value is an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": count, "plain": plain}
    return environment.get_template("report.html.jinja").render(**values)


def _wide_and_narrow(draw: Callable[[Theme, int], Figure]) -> list[dict[str, str]]:
    """A figure for a screen and for a phone, each in both themes.

    Args:
        draw: draws the figure in a theme, with a number of panels per row.
    """

    def with_columns(columns: int) -> dict[str, str]:
        return light_and_dark(lambda theme: draw(theme, columns))

    return [with_columns(columns) for columns in (WIDE, NARROW)]


def _without_course(autoencoder_report: dict) -> dict:
    values = without_content(autoencoder_report)
    return {name: value for name, value in values.items() if name != "course"}


def _autoencoder_plot(autoencoder_report: dict) -> list[dict[str, str]] | None:
    """The course of the autoencoder's training; None if it was not trained."""
    if not autoencoder_report.get("course"):
        return None
    log = pd.DataFrame(autoencoder_report["course"])
    return _wide_and_narrow(lambda *options: autoencoder_figure(log, *options))


def _risk_plot(curves: pd.DataFrame, split: str) -> dict[str, str] | None:
    if split not in set(curves["split"]):
        return None
    return light_and_dark(lambda theme: risk_figure(curves, split, theme))


def _comparison(
    metrics: dict, per_sample: pd.DataFrame, split: str, settings: dict, params: ReportParams
) -> Comparison | None:
    if params.compare is None:
        return None
    bootstrap = EvaluateParams.model_validate(settings.get("evaluate", {})).bootstrap
    return compare(metrics, per_sample, Path(params.compare), split, bootstrap)


def _comparison_plot(comparison: Comparison | None) -> dict[str, str] | None:
    if comparison is None or not comparison.differences:
        return None
    return light_and_dark(lambda theme: comparison_figure(comparison.samples, theme))


def _log_points(log: pd.DataFrame) -> int:
    """Number of rows that have more than validation scores."""
    names = [n for n in log.columns if n != "step" and not n.startswith("validation_")]
    return int(log[names].notna().any(axis=1).sum())


def _gallery_note(gallery: Gallery, split: str) -> str:
    if not gallery.cards:
        return f"No {split} sample has a {gallery.ranked_by}, so there is nothing to show."
    note = (
        f"Shown are {len(gallery.cards)} of {count(gallery.scored, f'{split} sample')}, evenly "
        f"spaced in rank from the best to the worst by the model’s {gallery.ranked_by}."
    )
    if gallery.unscored:
        note += (
            f" {count(len(gallery.unscored), 'more sample')} could not be scored and "
            f"cannot be ranked: {', '.join(map(str, gallery.unscored[:20]))}"
            f"{' …' if len(gallery.unscored) > 20 else ''}."
        )
    if gallery.shown_side < gallery.stored_side:
        note += (
            f" The pictures are scaled down from {gallery.stored_side} to {gallery.shown_side} "
            "pixels; the scores were computed at full size."
        )
    return note
