"""Weighted human disagreement rate (Bell, Bala & Snavely 2014, "Intrinsic Images in the Wild").

Section 3.5 of the paper, with the conventions of its published code (whdr.py): the reflectance of a
point is the mean linear RGB of the pixel that contains it, and at least 1e-10.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from albedo_pipeline.metrics.base import Quantity

FLOOR = 1e-10

WHDR = Quantity(name="whdr", label="WHDR", higher_is_better=False)


class Judgement(NamedTuple):
    """Human judgement of two points; x, y in [0, 1] from the top left corner.

    `darker` is "1" or "2" for the darker point, or "E" if both are about equal. `weight` is the
    published `darker_score`. The caller leaves out comparisons with a point that is not `opaque`.
    """

    x1: float
    y1: float
    x2: float
    y2: float
    darker: str
    weight: float


def whdr(reflectance: np.ndarray, judgements: Sequence[Judgement], delta: float = 0.1) -> float:
    """Weighted share of the judgements that the image disagrees with, in [0, 1].

    Judgements without weight, or with another value of `darker`, do not count.

    Args:
        reflectance: linear, [H, W, 3].
        delta: a point is darker if the other one is more than 1 + delta times as bright.

    Returns:
        The share; NaN if no judgement counts.
    """
    counted = [j for j in judgements if j.darker in ("1", "2", "E") and j.weight > 0]
    if not counted:
        return np.nan
    x1, y1, x2, y2 = np.array([judgement[:4] for judgement in counted], dtype=np.float64).T
    first, second = (_intensity(reflectance, x, y) for x, y in ((x1, y1), (x2, y2)))
    answer = np.full(len(counted), "E")
    answer[first / second > 1 + delta] = "2"
    answer[second / first > 1 + delta] = "1"
    weights = np.array([judgement.weight for judgement in counted], dtype=np.float64)
    wrong = answer != np.array([judgement.darker for judgement in counted])
    return float(weights[wrong].sum() / weights.sum())


def _intensity(reflectance: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean RGB at the points [n]. A coordinate of 1 belongs to the last pixel."""
    height, width = reflectance.shape[:2]
    rows = np.minimum((y * height).astype(int), height - 1)
    columns = np.minimum((x * width).astype(int), width - 1)
    return np.maximum(reflectance[rows, columns].mean(axis=-1, dtype=np.float64), FLOOR)
