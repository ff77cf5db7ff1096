"""The model card: what the model is, how it was made, and the numbers it reached."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.params import ExportParams
from albedo_pipeline.reporting.card_data import base_model, card_data
from albedo_pipeline.reporting.facts import flat_facts
from albedo_pipeline.reporting.markdown import Markdown, markdown
from albedo_pipeline.reporting.scores import (
    Cell,
    ScoreTable,
    confidence,
    headline,
    main_split,
    metrics_of,
    score_table,
)
from albedo_pipeline.reporting.words import count, plain, spaced

_TEMPLATES = Path(__file__).parent / "templates"
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


@dataclass(frozen=True)
class _Row:
    """One metric of the table."""

    label: str
    unit: str
    arrow: str
    """Points to where better is; empty where that is not known."""
    cells: list[Cell]
    """One a method."""
    of_all_pixels: bool
    """Whether masked ones count too."""


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
    split = main_split({k: v for k, v in metrics.items() if k != "lineage"})
    table = score_table(metrics, split)
    rows = _rows(table, metrics_of(metrics[split]))
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
        headline=headline(_main_metrics(metrics, split), split, percent),
        table=table,
        rows=[row for row in rows if not row.of_all_pixels],
        more_rows=[row for row in rows if row.of_all_pixels],
        percent=f"{percent:g}",
        protocol=flat_facts(metrics["protocol"]),
        steps=metrics["protocol"]["steps"],
        ensemble=metrics["protocol"]["ensemble"],
        fingerprint=metrics["protocol"]["fingerprint"],
        protocol_name=metrics["protocol"]["name"],
        version=version("albedo_pipeline"),
    )


def _main_metrics(metrics: dict, split: str) -> dict:
    """The file with no others than PSNR, SSIM and LPIPS of the valid pixels, as predicted: for one
    paragraph; all where there is none of these."""
    names = [n for n in metrics_of(metrics[split]) if n.endswith(("psnr", "ssim", "lpips"))]
    if not names:
        return metrics
    scores = {
        key: {name: value[name] for name in names if name in value}
        if isinstance(value, dict)
        else value
        for key, value in metrics[split].items()
    }
    return {"protocol": metrics["protocol"], split: scores}


def _rows(table: ScoreTable, names: list[str]) -> list[_Row]:
    """The report's table, turned: there are more metrics than methods, and a card is narrow."""
    return [
        _Row(
            label=label,
            unit=unit,
            arrow=direction[:1],
            cells=[row.cells[number] for row in table.rows],
            of_all_pixels=name.endswith("_unmasked"),
        )
        for number, (name, (label, unit, direction)) in enumerate(
            zip(names, table.columns, strict=True)
        )
    ]


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
