"""What the validations of all trainings share: samples, scores over all processes, pictures."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext

import numpy as np
import pandas as pd
from accelerate import Accelerator
from accelerate.utils import gather_object

from albedo_pipeline.errors import NotFiniteError, ProjectError
from albedo_pipeline.models.ema import Ema
from albedo_pipeline.params.base import OWN_SET

Scores = dict[str, str | float]
"""The `sample_id` of a sample, and its scores by name."""


def chosen_samples(
    manifest: pd.DataFrame,
    split: str,
    count: int,
    settings_path: str = "train",
    name: str = OWN_SET,
) -> pd.DataFrame:
    """At most `count` samples, spread evenly over the split.

    Args:
        name: name of the set of the samples, for errors.

    Raises:
        ProjectError: if the split is empty.
    """
    samples = manifest[manifest["split"] == split]
    if samples.empty:
        of_set = "" if name == OWN_SET else f" of the set {name}"
        raise ProjectError(
            f"{settings_path}.validation.split: no sample{of_set} is in {split!r}; choose another "
            f"split, or set {settings_path}.validation.every to null"
        )
    places = np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(int)
    return samples.iloc[places]


def mean_scores(
    batches: list[np.ndarray],
    score: Callable[[np.ndarray], list[Scores]],
    accelerator: Accelerator,
    stop: Callable[[], bool],
) -> dict[str, float] | None:
    """Mean of every score over all samples; None if `stop` asked to stop.

    The batches are divided among the processes. A batch holds the same samples for any number of
    processes, so the scores do not depend on it.

    Args:
        batches: rows of the samples of each batch.
        score: scores the samples of a batch.
        accelerator: of this process.
        stop: all processes call it together.

    Raises:
        NotFiniteError: in all processes, if `score` raises it in one.
    """
    scores: list[Scores] = []
    failures: list[str] = []
    for batch in _own_batches(batches, accelerator):
        if stop():
            return None
        if len(batch):
            try:
                scores += score(batch)
            except NotFiniteError as error:
                failures.append(str(error))
    failures = gather_object(failures)
    if failures:
        raise NotFiniteError(failures[0])
    table = pd.DataFrame(gather_object(scores)).set_index("sample_id").sort_index()
    return {str(name): float(values.mean()) for name, values in table.items()}


def _own_batches(batches: list[np.ndarray], accelerator: Accelerator) -> Iterator[np.ndarray]:
    """Batches of this process; every process gets the same number, the last may be empty."""
    processes = accelerator.num_processes
    for start in range(0, len(batches), processes):
        mine = start + accelerator.process_index
        yield batches[mine] if mine < len(batches) else np.array([], dtype=np.int64)


def ema_and_raw(ema: Ema, scores: Callable[[], dict[str, float] | None]) -> dict[str, float] | None:
    """Scores of the averaged weights and, as `<name>_raw`, of the raw weights.

    None if `scores` returns None, because it was asked to stop.
    """
    both: dict[str, float] = {}
    for suffix, weights in (("", ema.in_place()), ("_raw", nullcontext())):
        with weights:
            means = scores()
        if means is None:
            return None
        both |= {name + suffix: value for name, value in means.items()}
    return both
