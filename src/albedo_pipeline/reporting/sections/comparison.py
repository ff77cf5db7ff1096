"""Comparison of this run with another one."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from albedo_pipeline.artifacts.tables import read_table
from albedo_pipeline.diffusion.seeds import Purpose, generator
from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.metrics.bootstrap import bootstrap_difference
from albedo_pipeline.params.evaluate import BootstrapParams
from albedo_pipeline.provenance.lineage import check_metrics, check_table
from albedo_pipeline.reporting.formatting import (
    MODEL,
    label,
    main_measures,
    measured,
    plain,
    signed,
    spaced,
    verdict,
)
from albedo_pipeline.reporting.run_info import LabelledValue
from albedo_pipeline.reporting.sections.scores import metrics_of

_COLUMNS = ("sample_id", "group", "split", "method", "set")


@dataclass(frozen=True)
class Difference:
    """The model's scores of both runs in one metric, as text."""

    label: str
    this_run: str
    other_run: str
    difference: str
    """Mean paired difference over the samples that both runs have: this run minus the other."""
    interval: str
    verdict: str
    """`better`, `worse`, or `undecided` if the interval contains zero."""
    n: int
    """Number of samples that have a score in both runs."""


@dataclass(frozen=True)
class Comparison:
    """This run and another one."""

    fingerprints: tuple[str, str]
    """Fingerprints of the protocols of this run and of the other run."""
    protocol_differences: list[tuple[str, str, str]]
    """(name, this run, other run) of each setting of the protocol that differs."""
    differences: list[Difference]
    """Difference in each main metric; empty if the protocols differ."""
    other_scores: list[LabelledValue]
    """The other run's own scores if the protocols differ; empty if they are equal."""
    samples: pd.DataFrame
    """The model's scores of the samples that both runs have; empty if the protocols differ.

    The index is sample_id; the columns end in `_this` and `_other`, for example `psnr_this`.
    """


def compare(
    metrics: dict, per_sample: pd.DataFrame, folder: Path, split: str, bootstrap: BootstrapParams
) -> Comparison:
    """Compare this run's model with that of another run.

    Scores are compared only if both runs were measured with the same protocol. If not, the result
    has the settings that differ and the other run's own scores.

    Args:
        folder: reports of the other run: `metrics.json` and `per_sample.parquet`.

    Raises:
        ProjectError: if the folder has no evaluation of that split; names the file.
    """
    other, other_samples = _read(folder, split)
    this_protocol, other_protocol = metrics["protocol"], other["protocol"]
    names = sorted(
        name
        for name in this_protocol.keys() | other_protocol.keys()
        if this_protocol.get(name) != other_protocol.get(name)
    )
    protocol_differences = [
        (spaced(name), plain(this_protocol.get(name)), plain(other_protocol.get(name)))
        for name in names
        if name != "fingerprint"
    ]
    fingerprints = (
        str(this_protocol.get("fingerprint")),
        str(other_protocol.get("fingerprint")),
    )
    if fingerprints[0] != fingerprints[1]:
        scores = other[split].get(MODEL, {})
        other_scores = [(label(n), _with_interval(n, scores[n])) for n in main_measures(scores)]
        return Comparison(fingerprints, protocol_differences, [], other_scores, pd.DataFrame())
    rows = [_model_rows(table, split) for table in (per_sample, other_samples)]
    both = rows[0].merge(rows[1], on="sample_id", suffixes=("_this", "_other"))
    common = [n for n in main_measures(metrics_of(metrics[split])) if f"{n}_other" in both]
    differences = [_difference(both, name, bootstrap) for name in common]
    return Comparison(fingerprints, [], differences, [], both)


def _read(folder: Path, split: str) -> tuple[dict, pd.DataFrame]:
    file = folder / "metrics.json"
    try:
        metrics = json.loads(file.read_text(encoding="utf-8"))
        _check_metrics(metrics, split)
        file = folder / "per_sample.parquet"
        table = read_table(file, "evaluate")
        missing = [name for name in _COLUMNS if name not in table]
        if missing:
            raise ValueError(f"no column {', '.join(missing)}")
        _check_samples(metrics, table)
    except FileNotFoundError as error:
        raise ProjectError(f"report.compare: {file}: no such file") from error
    except (OSError, ValueError) as error:
        raise ProjectError(
            f"report.compare: {file}: not written by evaluate, or damaged ({one_line(error)})"
        ) from error
    return metrics, table


def _check_metrics(metrics: Any, split: str) -> None:
    """Raise ValueError if these are not metrics as `evaluate` writes them, or lack the split."""
    if not isinstance(metrics, dict) or not isinstance(metrics.get("protocol"), dict):
        raise ValueError("no protocol")
    if not isinstance(metrics["protocol"].get("fingerprint"), str):
        raise ValueError("no fingerprint")
    scores = metrics.get(split)
    model = scores.get(MODEL, {}) if isinstance(scores, dict) else None
    if not isinstance(model, dict) or not all(isinstance(s, dict) for s in model.values()):
        raise ValueError(f"the split {split} is missing or damaged")
    if "content" in (metrics.get("lineage") or {}):  # an earlier version wrote none
        check_metrics(metrics, {})


def _check_samples(metrics: dict, table: pd.DataFrame) -> None:
    """Raise ValueError if these are not the scores that the metrics summarise."""
    predictions = (metrics.get("lineage") or {}).get("predictions")
    scored = {"predictions": predictions, "protocol": metrics["protocol"]["fingerprint"]}
    check_table("per_sample", table, scored, "the pipeline evaluate of that run")


def _model_rows(table: pd.DataFrame, split: str) -> pd.DataFrame:
    rows = table[(table["method"] == MODEL) & (table["split"] == split)]
    return rows.set_index("sample_id")


def _difference(both: pd.DataFrame, name: str, bootstrap: BootstrapParams) -> Difference:
    if name == "constancy":  # one value per light set, stored with each of its samples
        both = both.drop_duplicates("set_this")
    this_run, other_run = (both[f"{name}_{run}"].to_numpy(float) for run in ("this", "other"))
    random = generator(bootstrap.seed, Purpose.BOOTSTRAP, 0)
    groups = both["group_this"].to_numpy()
    difference = bootstrap_difference(
        this_run, other_run, groups, bootstrap.resamples, bootstrap.confidence, random
    )
    known = ~(pd.isna(this_run) | pd.isna(other_run))
    return Difference(
        label=label(name),
        this_run=measured(name, float(this_run[known].mean()), with_unit=True),
        other_run=measured(name, float(other_run[known].mean()), with_unit=True),
        difference=signed(name, difference["mean"]),
        interval=f"{signed(name, difference['low'])} … {signed(name, difference['high'])}",
        verdict=verdict(name, difference),
        n=int(difference["n"]),
    )


def _with_interval(name: str, score: dict) -> str:
    value = measured(name, score.get("mean"), with_unit=True)
    low, high = (measured(name, score.get(end)) for end in ("low", "high"))
    return f"{value} ({low} … {high})"
