"""Details of a run for the report: code, packages, settings and quarantined samples."""

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

LabelledValue = tuple[str, str]
"""A label and a value, both as text."""

PACKAGES = ("albedo_pipeline", "kedro", "torch", "diffusers", "transformers", "numpy", "mitsuba")
KEY_SETTINGS = (
    "ingest.resolution",
    "ingest.exposure.policy",
    "autoencoder.source",
    "train.objective",
    "train.source",
    "train.noise_schedule.prediction_type",
    "train.max_steps",
    "train.effective_batch_size",
    "train.learning_rate.peak",
    "train.precision",
    "train.seed",
    "evaluate.steps",
    "evaluate.ensemble.kind",
    "evaluate.ensemble.members",
    "evaluate.seed",
)
"""The settings that most often explain a number; the report lists all others in a folded block."""

MAX_QUARANTINED = 200
"""Largest number of quarantined samples that the report lists."""


@dataclass(frozen=True)
class QuarantineReason:
    """A reason why samples were quarantined."""

    reason: str
    samples: int
    """Number of samples with this reason."""


def run_details(parameters: dict, folder: Path, now: datetime | None = None) -> list[LabelledValue]:
    """Date, code, packages and key settings; nothing that identifies the machine.

    Args:
        parameters: as `resolved_parameters` returns them.
        folder: a folder that may be inside a git repository.
        now: the date to show; by default the clock's.
    """
    when = (now or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M UTC")
    installed = [f"{name} {version}" for name, version in _versions()]
    packages = ", ".join([f"Python {platform.python_version()}", *installed])
    return [("Date", when), ("Code", code_state(folder)), ("Packages", packages)] + [
        (spaced(key.replace(".", ": ", 1)).replace(".", " "), plain(value))
        for key, value in _key_settings(parameters)
    ]


def code_state(folder: Path) -> str:
    """Commit of the git repository around `folder`, and how many files differ from it."""
    state = git_state(folder)
    if state.commit is None:
        return "commit unknown: the run was not made inside a git repository with a commit"
    kinds = [(state.changed, "changed file"), (state.untracked, "untracked file")]
    differing = " and ".join(count(number, noun) for number, noun in kinds if number)
    if not differing:
        return f"commit {state.commit}, no uncommitted changes"
    return f"commit {state.commit} with {differing}"


def resolved_parameters(parameters: dict) -> dict:
    """All parameters as plain values, sorted by pipeline, with defaults filled in.

    Defaults are filled in for pipelines that have a parameter model. Kedro passes a model only for
    the pipelines that run, otherwise the values of the files, and the order in which it reads the
    files is not fixed.
    """
    models = {
        name.removesuffix("Params").lower(): getattr(parameter_models, name)
        for name in parameter_models.__all__
    }
    return {
        key: _plain_values(_with_defaults(value, models.get(key)))
        for key, value in sorted(parameters.items())
    }


def without_history(train_settings: dict) -> dict:
    """The settings of a training without its changes of course."""
    return {key: value for key, value in train_settings.items() if key != "history"}


def course_changes(history: list[dict]) -> list[LabelledValue]:
    """What was changed on purpose during a training: after which step, and what.

    Args:
        history: as `train_settings.json` has it; see `training.resume.Steering`.
    """
    return [
        (f"after step {item['step']}", f"went on from {item['resumed_from']}; {_changed(item)}")
        for item in history
    ]


def _changed(item: dict) -> str:
    values = (f"{key}: {plain(a)} → {plain(b)}" for key, (a, b) in item["changes"].items())
    return ", ".join(values) or "no setting changed"


def as_yaml(parameters: dict) -> str:
    """Resolved parameters as YAML, in the style of the project's parameter files."""
    return yaml.safe_dump(parameters, sort_keys=False, allow_unicode=True, width=90)


def quarantine_reasons(quarantine: pd.DataFrame) -> list[QuarantineReason]:
    """The reasons in the quarantine, the most frequent first."""
    counts = quarantine.groupby("reason").size().sort_values(ascending=False, kind="stable")
    return [QuarantineReason(str(reason), int(number)) for reason, number in counts.items()]


def quarantined_samples(quarantine: pd.DataFrame) -> list[tuple[str, str, str]]:
    """(sample_id, group, reason) of the first `MAX_QUARANTINED` quarantined samples."""
    rows = quarantine[["sample_id", "group", "reason"]].head(MAX_QUARANTINED)
    return [
        (str(sample_id), str(group), str(reason))
        for sample_id, group, reason in rows.itertuples(index=False)
    ]


def labelled_values(values: dict) -> list[LabelledValue]:
    """Keys and values of a dictionary, such as a report or a protocol, as text."""
    return [(spaced(str(key)), plain(value)) for key, value in values.items()]


def protocol_details(protocol: dict) -> list[LabelledValue]:
    """The protocol as text, with its metrics listed by the colour space they are measured in."""
    by_space: dict[str, list[str]] = {}
    for name, space in protocol.get("metrics", {}).items():
        by_space.setdefault(space, []).append(label(name))
    metrics = [(f"measured in {space}", "; ".join(names)) for space, names in by_space.items()]
    return metrics + labelled_values({k: v for k, v in protocol.items() if k != "metrics"})


def _key_settings(parameters: dict) -> Iterator[tuple[str, Any]]:
    for path in KEY_SETTINGS:
        value: Any = parameters
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            yield path, value


def _versions() -> Iterator[tuple[str, str]]:
    installed = package_versions()
    return ((name, installed[name]) for name in PACKAGES if name in installed)


def _with_defaults(value: Any, model: type[BaseModel] | None) -> Any:
    if model is None or not isinstance(value, dict):
        return value
    try:
        return model.model_validate(value)
    except ValueError:  # shown as it is: the pipeline that uses it raises the error
        return value


def _plain_values(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(key): _plain_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_values(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
