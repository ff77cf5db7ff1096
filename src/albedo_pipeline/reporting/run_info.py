"""What was run: code, packages, settings, data."""

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import BaseModel

from albedo_pipeline import params as parameter_models
from albedo_pipeline.provenance.git import git_state
from albedo_pipeline.provenance.run_record import package_versions
from albedo_pipeline.reporting.formatting import count, label, plain, spaced

Fact = tuple[str, str]

PACKAGES = ("albedo_pipeline", "kedro", "torch", "diffusers", "transformers", "numpy", "mitsuba")
KEY_SETTINGS = (
    "ingest.resolution",
    "ingest.exposure.policy",
    "autoencoder.source",
    "train.source",
    "train.noise_schedule.prediction_type",
    "train.max_steps",
    "train.effective_batch_size",
    "train.learning_rate.peak",
    "train.precision",
    "train.seed",
    "evaluate.steps",
    "evaluate.ensemble",
    "evaluate.seed",
)
"""The settings that most often explain a number; the rest stand in the folded block."""

LISTED = 200
"""Quarantined samples that are listed one by one."""


@dataclass(frozen=True)
class Reason:
    """Why samples were set aside, and how many."""

    reason: str
    samples: int


def run_facts(parameters: dict, folder: Path, now: datetime | None = None) -> list[Fact]:
    """Date, code and packages, by name; nothing about the machine.

    Args:
        parameters: as `resolved` gives them.
        folder: where a git repository may be.
        now: the date shown; the clock's by default.
    """
    when = (now or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M UTC")
    found = [f"{name} {release}" for name, release in _versions()]
    packages = ", ".join([f"Python {platform.python_version()}", *found])
    return [("Date", when), ("Code", code_state(folder)), ("Packages", packages)] + [
        (spaced(key.replace(".", ": ", 1)).replace(".", " "), plain(value))
        for key, value in _settings(parameters)
    ]


def code_state(folder: Path) -> str:
    """Commit of the repository that `folder` lies in, and how many files differ from it."""
    state = git_state(folder)
    if state.commit is None:
        return "commit unknown: the run was not made inside a git repository with a commit"
    kinds = [(state.changed, "changed file"), (state.untracked, "untracked file")]
    named = " and ".join(count(number, noun) for number, noun in kinds if number)
    if not named:
        return f"commit {state.commit}, no uncommitted changes"
    return f"commit {state.commit}, and on top of it {named}"


def resolved(parameters: dict) -> dict:
    """Plain values of all parameters, the defaults filled in where the project knows the model.

    Kedro hands over a model only for the pipelines of the run, else what the files say, and reads
    the files in an order of its own: the pipelines are sorted by name.
    """
    models = {
        name.removesuffix("Params").lower(): getattr(parameter_models, name)
        for name in parameter_models.__all__
    }
    return {
        key: _plain_values(_filled(value, models.get(key)))
        for key, value in sorted(parameters.items())
    }


def as_yaml(parameters: dict) -> str:
    """Resolved parameters as text, the way the files are written."""
    return yaml.safe_dump(parameters, sort_keys=False, allow_unicode=True, width=90)


def reasons(quarantine: pd.DataFrame) -> list[Reason]:
    """The quarantine by reason, the most frequent first."""
    counts = quarantine.groupby("reason").size().sort_values(ascending=False, kind="stable")
    return [Reason(str(reason), int(number)) for reason, number in counts.items()]


def set_aside(quarantine: pd.DataFrame) -> list[tuple[str, str, str]]:
    """(sample_id, group, reason) of the first `LISTED` quarantined samples."""
    rows = quarantine[["sample_id", "group", "reason"]].head(LISTED)
    return [
        (str(sample_id), str(group), str(reason))
        for sample_id, group, reason in rows.itertuples(index=False)
    ]


def flat_facts(values: dict) -> list[Fact]:
    """Whatever keys a report or protocol has, as text."""
    return [(spaced(str(key)), plain(value)) for key, value in values.items()]


def protocol_facts(protocol: dict) -> list[Fact]:
    """The protocol as text; its measures by the colour space that they are taken in."""
    by_space: dict[str, list[str]] = {}
    for name, space in protocol.get("metrics", {}).items():
        by_space.setdefault(space, []).append(label(name))
    measures = [(f"measured in {space}", "; ".join(names)) for space, names in by_space.items()]
    return measures + flat_facts({k: v for k, v in protocol.items() if k != "metrics"})


def _settings(parameters: dict) -> Iterator[tuple[str, Any]]:
    for path in KEY_SETTINGS:
        value: Any = parameters
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            yield path, value


def _versions() -> Iterator[Fact]:
    installed = package_versions()
    return ((name, installed[name]) for name in PACKAGES if name in installed)


def _filled(value: Any, model: type[BaseModel] | None) -> Any:
    if model is None or not isinstance(value, dict):
        return value
    try:
        return model.model_validate(value)
    except ValueError:  # the pipeline that uses it will complain; here it is only shown
        return value


def _plain_values(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(key): _plain_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_values(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
