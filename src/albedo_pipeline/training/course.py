"""The course of a training for a report in JSON: losses and validation scores by step."""

import math
from typing import Any

import pandas as pd

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.training.resume import stored_log

_POINTS = 500
"""Largest number of log points with losses, so that a long training has a short report."""
_KEPT = ("loss", "validation_", "learning_rate", "adaptive_weight")
"""How the names of the columns begin that are kept, besides `step`."""


def stored_course(store: Checkpoints) -> list[dict[str, Any]]:
    """The course up to the newest checkpoint; empty if there is none."""
    steps = store.steps()
    return course(pd.DataFrame(stored_log(store.path(steps[-1])))) if steps else []


def course(log: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a training log with what shows its course, by rising step; a row lacks what is NaN.

    All validations are kept, and at most 500 other rows: every n-th, counted from the last one.
    """
    columns = [name for name in map(str, log.columns) if name.startswith(_KEPT)]
    scores = [name for name in columns if name.startswith("validation_")]
    is_validation = log[scores].notna().any(axis=1)
    others = log.index[~is_validation]
    every = math.ceil(len(others) / _POINTS) or 1
    kept = {*others[::-1][::every], *log.index[is_validation]}
    rows = log.loc[sorted(kept), ["step", *columns]].to_dict("records")
    return [{str(k): v for k, v in row.items() if not math.isnan(v)} for row in rows]
