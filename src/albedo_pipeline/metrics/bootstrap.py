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
