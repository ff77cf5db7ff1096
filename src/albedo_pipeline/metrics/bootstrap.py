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
        mean, low, high, n (samples that count), groups. NaN where there is none: a mean of
        nothing or of both infinities; an interval of one group, or where the mean is not finite
        (PSNR of an exact prediction).
    """
    judged = ~np.isnan(values)
    values, groups = values[judged], groups[judged]
    names, members = np.unique(groups, return_inverse=True)
    counted = {"n": len(values), "groups": len(names)}
    with np.errstate(invalid="ignore"):  # both infinities
        mean = float(values.mean()) if len(values) else np.nan
    if len(names) < 2 or not np.isfinite(mean):
        return {"mean": mean, "low": np.nan, "high": np.nan, **counted}
    sums, counts = np.bincount(members, weights=values), np.bincount(members)
    drawn = random.integers(len(sums), size=(resamples, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return {"mean": mean, "low": float(low), "high": float(high), **counted}


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
