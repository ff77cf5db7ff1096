"""Confidence interval of a mean (percentile bootstrap, Efron & Tibshirani 1993, ch. 13)."""

import numpy as np


def bootstrap_mean(
    values: np.ndarray,
    groups: np.ndarray,
    resamples: int,
    confidence: float,
    random: np.random.Generator,
) -> dict[str, float | int]:
    """Mean over the samples with its interval; whole groups are resampled.

    Views of one scene are alike: resampling samples would make the interval too narrow.

    Args:
        values: float [n]; NaN (nothing to judge) does not count.
        groups: names [n].

    Returns:
        mean, low, high, n (samples that count), groups; NaN where there is none.
    """
    judged = ~np.isnan(values)
    values, groups = values[judged], groups[judged]
    if not len(values):
        return {"mean": np.nan, "low": np.nan, "high": np.nan, "n": 0, "groups": 0}
    _, members = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(members, weights=values), np.bincount(members)
    drawn = random.integers(len(sums), size=(resamples, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return {
        "mean": float(values.mean()),
        "low": float(low),
        "high": float(high),
        "n": len(values),
        "groups": len(sums),
    }


def bootstrap_difference(
    a: np.ndarray,
    b: np.ndarray,
    groups: np.ndarray,
    resamples: int,
    confidence: float,
    random: np.random.Generator,
) -> dict[str, float | int]:
    """Mean of a - b with its interval: the same samples, in the same order, under two runs.

    Pairing takes out how hard each sample is. A sample that either run has NaN for does not
    count; equal values differ by 0, two infinite ones (PSNR of exact predictions) too.

    Args:
        a, b: float [n].
        groups: names [n]; whole groups are resampled.

    Returns:
        As `bootstrap_mean`.
    """
    difference = np.zeros(len(a))
    np.subtract(a, b, out=difference, where=a != b)
    return bootstrap_mean(difference, groups, resamples, confidence, random)
