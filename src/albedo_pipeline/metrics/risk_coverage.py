"""Whether the uncertainty knows the error: risk-coverage curves (Geifman & El-Yaniv 2017).

Sort by uncertainty, keep the most certain share (the coverage), take the mean error of what is
kept (the risk). Good uncertainties give low risk at low coverage.
"""

from dataclasses import dataclass

import numpy as np

from albedo_pipeline.metrics.base import Quantity

AURC = Quantity(name="aurc", label="AURC", higher_is_better=False)
AURC_ORACLE = Quantity(name="aurc_oracle", label="AURC of the oracle", higher_is_better=False)
AURC_RANDOM = Quantity(name="aurc_random", label="AURC of no order", higher_is_better=False)
AURC_EXCESS = Quantity(name="aurc_excess", label="Excess AURC", higher_is_better=False)


@dataclass(frozen=True)
class RiskCoverage:
    """A curve and its area, with the areas of the best and of a random order."""

    risks: np.ndarray
    """Mean error of the most certain share, at the coverages asked for."""
    area: float
    """AURC: the mean of the risk over the coverages 1/n, 2/n, ..., 1."""
    oracle_area: float
    """The same sorted by the error itself: no uncertainty can do better."""
    random_area: float
    """The expected area of a random order: the mean error."""

    @property
    def excess(self) -> float:
        """E-AURC (Geifman, Uziel & El-Yaniv 2019): 0 is the oracle's order."""
        return self.area - self.oracle_area


def risk_coverage(
    errors: np.ndarray, uncertainties: np.ndarray, coverages: np.ndarray
) -> RiskCoverage:
    """The curve of pixels or samples; one of NaN error or uncertainty does not count.

    Equally uncertain ones are in no order: within a tie the risk is its mean over all orders.

    Args:
        errors, uncertainties: float [n].
        coverages: shares in (0, 1]; rounded up to whole counts, at least one.

    Returns:
        NaN throughout where nothing counts.
    """
    known = ~(np.isnan(errors) | np.isnan(uncertainties))
    errors = np.asarray(errors, np.float64)[known]
    if not len(errors):
        return RiskCoverage(np.full(len(coverages), np.nan), np.nan, np.nan, np.nan)
    curve, oracle = _curve(errors, uncertainties[known]), _curve(errors, errors)
    # a hair is taken off so that 0.07 x 100 counts 7 and not 8
    kept = np.ceil(np.asarray(coverages) * len(errors) - 1e-9).astype(int).clip(1, len(errors))
    return RiskCoverage(
        curve[kept - 1], float(curve.mean()), float(oracle.mean()), float(errors.mean())
    )


def _curve(errors: np.ndarray, uncertainties: np.ndarray) -> np.ndarray:
    """Mean error of the k most certain, k = 1 ... n; a tie's errors are replaced by their mean."""
    _, members, counts = np.unique(uncertainties, return_inverse=True, return_counts=True)
    means = np.bincount(members, weights=errors) / counts
    return np.cumsum(np.repeat(means, counts)) / np.arange(1, len(errors) + 1)
