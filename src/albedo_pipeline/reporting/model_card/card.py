"""The model card: what the model is, how it was made, and the numbers it reached."""

from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.params import ExportParams
from albedo_pipeline.reporting.formatting import count, plain, spaced
from albedo_pipeline.reporting.model_card.card_data import base_model, card_data
from albedo_pipeline.reporting.model_card.markdown import Markdown, markdown
from albedo_pipeline.reporting.run_info import protocol_facts
from albedo_pipeline.reporting.sections.score_table import measure_rows
from albedo_pipeline.reporting.sections.scores import (
    confidence,
    headline,
    main_split,
    metrics_of,
    score_table,
)

_TEMPLATES = Path(__file__).parents[1] / "templates"
_TRAINING = (
    ("prediction_type", "Prediction"),
    ("max_steps", "Optimiser steps"),
    ("effective_batch_size", "Effective batch"),
    ("peak", "Peak learning rate"),
    ("decay", "Its decay"),
    ("optimiser", "Optimiser"),
    ("precision", "Precision"),
    ("seed", "Seed"),
)


def model_card(
    metrics: dict, audit_summary: dict, train_settings: dict, side: int, params: ExportParams
) -> str:
    """YAML front matter and markdown; all that comes from data or settings is escaped.

    Args:
        side: longer side of the training images, pixels.

    Raises:
        ProjectError: where one of the files lacks what the card tells; says which to make again.
    """
    try:
        return _card(metrics, audit_summary, train_settings, side, params)
    except (KeyError, TypeError, AttributeError, UndefinedError) as error:
        raise ProjectError(
            "export: metrics, audit_summary or train_settings are damaged or of an earlier version "
            f"({one_line(error)}); run the pipelines ingest, train and evaluate again"
        ) from error


def _card(
    metrics: dict, audit_summary: dict, train_settings: dict, side: int, params: ExportParams
) -> str:
    split = main_split(metrics)
    table = score_table(metrics, split)
    percent = confidence(metrics, {})
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        finalize=markdown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"count": count, "plain": plain, "code": _code}
    return environment.get_template("model_card.md.jinja").render(
        front=Markdown(card_data(metrics, split, train_settings, params).to_yaml()),
        params=params,
        source=_source(train_settings),
        base=base_model(train_settings),
        side=side,
        audit=audit_summary,
        flags=[(spaced(name), n) for name, n in audit_summary["flags"].items() if n],
        training=_training(train_settings),
        headline=headline(metrics, split, percent),
        table=table,
        methods=[row.method.name for row in table.rows],
        rows=measure_rows(table, metrics_of(metrics[split])),
        percent=f"{percent:g}",
        protocol=protocol_facts(metrics["protocol"]),
        steps=metrics["protocol"]["steps"],
        ensemble=metrics["protocol"]["ensemble"],
        fingerprint=metrics["protocol"]["fingerprint"],
        protocol_name=metrics["protocol"]["name"],
        version=version("albedo_pipeline"),
    )


def _code(value: object) -> Markdown:
    """Inside a block of code, for values whose form is checked: nothing is markup there."""
    return Markdown(value)


def _source(settings: dict) -> str:
    if settings["source"] == "scratch":
        return "Trained from scratch"
    if settings["lora"]:
        return f"Low-rank adapters (rank {settings['lora']['rank']}), merged into the weights"
    return "All weights of a pretrained model trained further:"


def _training(settings: dict) -> list[tuple[str, str]]:
    flat = {
        **settings,
        "prediction_type": settings["noise_schedule"]["prediction_type"],
        "peak": settings["learning_rate"]["peak"],
        "decay": settings["learning_rate"]["decay"],
        "optimiser": settings["optimiser"]["name"],
    }
    averaged = ("Averaged weights (EMA), decay", plain(settings["ema"]["decay"]))
    return [(name, plain(flat[key])) for key, name in _TRAINING] + [averaged]
