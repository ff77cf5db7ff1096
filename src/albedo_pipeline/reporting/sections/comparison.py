"""Another run beside this one."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from albedo_pipeline.diffusion.seeds import Purpose, generator
from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.metrics.bootstrap import bootstrap_difference
from albedo_pipeline.params.evaluate import BootstrapParams
from albedo_pipeline.reporting.formatting import (
    MODEL,
    finite,
    higher_is_better,
    label,
    main_measures,
    measured,
    plain,
    spaced,
)
from albedo_pipeline.reporting.run_info import Fact
from albedo_pipeline.reporting.sections.scores import metrics_of

_COLUMNS = ("sample_id", "group", "split", "method", "set")


@dataclass(frozen=True)
class Difference:
    """One measure of the model in both runs, as text."""

    label: str
    here: str
    there: str
    difference: str
    """Here minus there, on the samples of both; paired."""
    interval: str
    verdict: str
    """`better`, `worse`, or `undecided` where the interval holds zero."""
    n: int


@dataclass(frozen=True)
class Comparison:
    """Two runs."""

    fingerprints: tuple[str, str]
    """Of this run and of the other one."""
    unlike: list[tuple[str, str, str]]
    """Settings of the protocol that differ: name, here, there."""
    differences: list[Difference]
    """Where the protocols are equal."""
    apart: list[Fact]
    """The other run's own numbers, where they are not."""
    samples: pd.DataFrame
    """The model's scores of the samples of both, columns `psnr here`, `psnr there`; empty where
    the protocols differ."""


def compare(
    metrics: dict, per_sample: pd.DataFrame, folder: Path, split: str, bootstrap: BootstrapParams
) -> Comparison:
    """This run's model beside the one whose reports lie in `folder`.

    Numbers of unlike protocols are never put side by side: then the differing settings are told.

    Raises:
        ProjectError: where the folder holds no evaluation of that split; names it.
    """
    other, other_samples = _read(folder, split)
    ours, theirs = metrics["protocol"], other["protocol"]
    names = sorted(
        name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)
    )
    unlike = [
        (spaced(name), plain(ours.get(name)), plain(theirs.get(name)))
        for name in names
        if name != "fingerprint"
    ]
    prints = (str(ours.get("fingerprint")), str(theirs.get("fingerprint")))
    if prints[0] != prints[1]:
        scores = other[split].get(MODEL, {})
        shown = [(label(n), _with_interval(n, scores[n])) for n in main_measures(scores)]
        return Comparison(prints, unlike, [], shown, pd.DataFrame())
    rows = [_models(table, split) for table in (per_sample, other_samples)]
    both = rows[0].merge(rows[1], on="sample_id", suffixes=(" here", " there"))
    measures = [n for n in main_measures(metrics_of(metrics[split])) if f"{n} there" in both]
    return Comparison(prints, [], [_difference(both, n, bootstrap) for n in measures], [], both)


def _read(folder: Path, split: str) -> tuple[dict, pd.DataFrame]:
    file = folder / "metrics.json"
    try:
        metrics = json.loads(file.read_text(encoding="utf-8"))
        _check_metrics(metrics, split)
        file = folder / "per_sample.parquet"
        table = pd.read_parquet(file)
        missing = [name for name in _COLUMNS if name not in table]
        if missing:
            raise ValueError(f"no column {', '.join(missing)}")
    except FileNotFoundError as error:
        raise ProjectError(f"report.compare: {file}: no such file") from error
    except (OSError, ValueError) as error:
        raise ProjectError(
            f"report.compare: {file}: not of an evaluation ({one_line(error)})"
        ) from error
    return metrics, table


def _check_metrics(metrics: Any, split: str) -> None:
    """Raise ValueError where they are not as `evaluate` writes them, or lack the split."""
    if not isinstance(metrics, dict) or not isinstance(metrics.get("protocol"), dict):
        raise ValueError("no protocol")
    if not isinstance(metrics["protocol"].get("fingerprint"), str):
        raise ValueError("no fingerprint")
    scores = metrics.get(split)
    model = scores.get(MODEL, {}) if isinstance(scores, dict) else None
    if not isinstance(model, dict) or not all(isinstance(s, dict) for s in model.values()):
        raise ValueError(f"no {split} split, or a damaged one")


def _models(table: pd.DataFrame, split: str) -> pd.DataFrame:
    rows = table[(table["method"] == MODEL) & (table["split"] == split)]
    return rows.set_index("sample_id")


def _difference(both: pd.DataFrame, name: str, bootstrap: BootstrapParams) -> Difference:
    if name == "constancy":  # of a set, and each of its samples bears it
        both = both.drop_duplicates("set here")
    here, there = (both[f"{name} {run}"].to_numpy(float) for run in ("here", "there"))
    random = generator(bootstrap.seed, Purpose.BOOTSTRAP, 0)
    groups = both["group here"].to_numpy()
    found = bootstrap_difference(
        here, there, groups, bootstrap.resamples, bootstrap.confidence, random
    )
    known = ~(pd.isna(here) | pd.isna(there))
    return Difference(
        label=label(name),
        here=measured(name, float(here[known].mean()), with_unit=True),
        there=measured(name, float(there[known].mean()), with_unit=True),
        difference=_signed(name, found["mean"]),
        interval=f"{_signed(name, found['low'])} … {_signed(name, found['high'])}",
        verdict=_verdict(name, found),
        n=int(found["n"]),
    )


def _signed(name: str, value: float) -> str:
    text = measured(name, value)
    return f"+{text}" if finite(value) and value > 0 else text.replace("-", "−")


def _verdict(name: str, found: dict) -> str:
    if not (found["low"] > 0 or found["high"] < 0):
        return "undecided"
    return "better" if (found["low"] > 0) == bool(higher_is_better(name)) else "worse"


def _with_interval(name: str, score: dict) -> str:
    value = measured(name, score.get("mean"), with_unit=True)
    low, high = (measured(name, score.get(end)) for end in ("low", "high"))
    return f"{value} ({low} … {high})"
