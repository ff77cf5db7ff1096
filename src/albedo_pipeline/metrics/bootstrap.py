"""Confidence interval of a mean (percentile bootstrap, Efron & Tibshirani 1993, ch. 13)."""

import numpy as np


def bootstrap_mean(
    values: np.ndarray,
    groups: np.ndarray,
    resamples: int,
    confidence: float,
    random: np.random.Generator,
) -> dict[str, float | int]:
    """Mean over the samples and its confidence interval, from resampling groups.

    Views of one scene are similar, so resampling single samples would give too narrow an interval.

    Args:
        values: float [n]; NaN (a sample without a pixel to judge) does not count.
        groups: names [n].

    Returns:
        mean, low, high, n (number of samples that count) and groups (number of groups). The mean
        is NaN if no sample counts or both infinities occur. The interval is NaN if there is only
        one group, or if the mean is not finite (as the PSNR of an exact prediction).
    """
    judged = ~np.isnan(values)
    values, groups = values[judged], groups[judged]
    names, members = np.unique(groups, return_inverse=True)
    sizes = {"n": len(values), "groups": len(names)}
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        mean = float(values.mean()) if len(values) else np.nan
    if len(names) < 2 or not np.isfinite(mean):
        return {"mean": mean, "low": np.nan, "high": np.nan, **sizes}
    sums, counts = np.bincount(members, weights=values), np.bincount(members)
    drawn = random.integers(len(sums), size=(resamples, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return {"mean": mean, "low": float(low), "high": float(high), **sizes}


def bootstrap_difference(
    a: np.ndarray,
    b: np.ndarray,
    groups: np.ndarray,
    resamples: int,
    confidence: float,
    random: np.random.Generator,
) -> dict[str, float | int]:
    """Mean of a - b and its confidence interval: two runs on the same samples in the same order.

    Pairing cancels how difficult each sample is. A sample for which either value is NaN does not
    count. Equal values differ by 0, also two infinite ones (PSNR of exact predictions).

    Args:
        a, b: float [n].
        groups: names [n]; complete groups are resampled.

    Returns:
        As `bootstrap_mean`.
    """
    difference = np.zeros(len(a))
    np.subtract(a, b, out=difference, where=a != b)
    return bootstrap_mean(difference, groups, resamples, confidence, random)
