"""The model card: what the model is, how it was trained, and its scores."""

from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.params import ExportParams
from albedo_pipeline.params.base import BUNDLED
from albedo_pipeline.reporting.formatting import count, plain, show_own_metrics, spaced
from albedo_pipeline.reporting.model_card.card_data import base_model, card_data
from albedo_pipeline.reporting.model_card.markdown import Markdown, escaped
from albedo_pipeline.reporting.run_info import course_changes, protocol_details
from albedo_pipeline.reporting.sections.headline import headline
from albedo_pipeline.reporting.sections.score_table import metric_rows, score_table
from albedo_pipeline.reporting.sections.scores import confidence, main_split, metrics_of

_TEMPLATES = Path(__file__).parents[1] / "templates"
_TRAINING_SETTINGS = (
    ("prediction_type", "Prediction"),
    ("max_steps", "Optimiser steps"),
    ("effective_batch_size", "Effective batch"),
    ("peak", "Peak learning rate"),
    ("decay", "Learning rate decay"),
    ("optimiser", "Optimiser"),
    ("precision", "Precision"),
    ("seed", "Seed"),
)


def model_card(
    metrics: dict, audit_summary: dict, train_settings: dict, side: int, params: ExportParams
) -> str:
    """YAML front matter and markdown; everything that comes from data or settings is escaped.

    Args:
        metrics: content of `metrics.json`.
        audit_summary: totals of the audit.
        train_settings: resolved settings of the training run.
        side: longer side of the training images, pixels.

    Raises:
        ProjectError: if one of the files lacks a value that the card shows; says which pipelines
            to run again.
    """
    try:
        return _card(metrics, audit_summary, train_settings, side, params)
    except (KeyError, TypeError, AttributeError, UndefinedError) as error:
        raise ProjectError(
            "export: metrics, audit_summary or train_settings are damaged, or from an earlier "
            f"version ({one_line(error)}); run the pipelines ingest, train and evaluate again"
        ) from error


def _card(
    metrics: dict, audit_summary: dict, train_settings: dict, side: int, params: ExportParams
) -> str:
    split = main_split(metrics)
    show_own_metrics(metrics["protocol"])
    table = score_table(metrics, split)
    percent = confidence(metrics, {})
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        finalize=escaped,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # "unescaped" is for markdown of the template's own, and for values whose form was checked.
    environment.filters |= {"count": count, "plain": plain, "unescaped": Markdown}
    return environment.get_template("model_card.md.jinja").render(
        front=Markdown(card_data(metrics, split, train_settings, params).to_yaml()),
        params=params,
        source=_source(train_settings),
        base=base_model(train_settings),
        side=side,
        audit=audit_summary,
        flags=[(spaced(name), n) for name, n in audit_summary["flags"].items() if n],
        training=_training(train_settings),
        is_one_step=train_settings["objective"] == "end_to_end",
        headline=headline(metrics, split, percent),
        table=table,
        methods=[row.method.name for row in table.rows],
        rows=metric_rows(table, metrics_of(metrics[split])),
        percent=f"{percent:g}",
        protocol=protocol_details(metrics["protocol"]),
        steps=metrics["protocol"]["steps"],
        ensemble=_ensemble(metrics["protocol"]["ensemble"]),
        fingerprint=metrics["protocol"]["fingerprint"],
        protocol_name=metrics["protocol"]["name"],
        version=version("albedo_pipeline"),
    )


def _ensemble(ensemble: dict | None) -> str:
    """A sentence that says from how many predictions of an image the scores were measured.

    Args:
        ensemble: kind and members; None for one prediction.
    """
    if ensemble is None:
        return "The scores below were measured with `ensemble_size=1`."
    if ensemble["kind"] == "noise":
        return f"The scores below were measured with `ensemble_size={ensemble['members']}`."
    return (
        f"The scores below are of the combination of {ensemble['members']} predictions of each "
        "image by test-time augmentation, which albedo_pipeline has and `diffusers` has not."
    )


def _source(settings: dict) -> str:
    if settings["start_from"] == BUNDLED:
        return "Fine-tuning of all weights of the estimator that ships with albedo_pipeline"
    if settings["start_from"]:
        return "Trained from an earlier denoiser of the same project"
    if settings["source"] == "scratch":
        return "Trained from scratch"
    if settings["lora"]:
        rank = settings["lora"]["rank"]
        return f"Low-rank adapters (rank {rank}) for a pretrained model, merged into its weights"
    return "Fine-tuning of all weights of a pretrained model"


def _training(settings: dict) -> list[tuple[str, str]]:
    flat = {
        **settings,
        "prediction_type": settings["noise_schedule"]["prediction_type"],
        "peak": settings["learning_rate"]["peak"],
        "decay": settings["learning_rate"]["decay"],
        "optimiser": settings["optimiser"]["name"],
    }
    ema = settings["ema"]
    power = f"a constant share of the training ({plain(ema['relative_width'])})"
    width = power if ema["profile"] == "power" else f"decay {plain(ema['decay'])}"
    averaged = ("Averaged weights (EMA)", width)
    changes = [
        (f"Changed {when}", what) for when, what in course_changes(settings.get("history", []))
    ]
    return [(name, plain(flat[key])) for key, name in _TRAINING_SETTINGS] + [averaged, *changes]
