"""How well an uncertainty predicts the error: risk-coverage curves (Geifman & El-Yaniv 2017).

Sort by uncertainty, keep the most certain share (the coverage), and take the mean error of what is
kept (the risk). A good uncertainty gives a low risk at low coverage.
"""

from dataclasses import dataclass

import numpy as np

from albedo_pipeline.metrics.base import Quantity

AURC = Quantity(name="aurc", label="AURC", higher_is_better=False)
AURC_ORACLE = Quantity(name="aurc_oracle", label="AURC of the oracle", higher_is_better=False)
AURC_RANDOM = Quantity(name="aurc_random", label="AURC of random order", higher_is_better=False)
AURC_EXCESS = Quantity(name="aurc_excess", label="Excess AURC", higher_is_better=False)


@dataclass(frozen=True)
class RiskCoverage:
    """A curve and its area, and for comparison the areas of the best and of a random order."""

    risks: np.ndarray
    """Mean error of the most certain share at each requested coverage."""
    area: float
    """AURC: the mean of the risk over the coverages 1/n, 2/n, ..., 1."""
    oracle_area: float
    """AURC of sorting by the error itself; no uncertainty can do better."""
    random_area: float
    """Expected AURC of a random order, which is the mean error."""

    @property
    def excess(self) -> float:
        """E-AURC (Geifman, Uziel & El-Yaniv 2019): AURC above that of the oracle; 0 is best."""
        return self.area - self.oracle_area


def risk_coverage(
    errors: np.ndarray, uncertainties: np.ndarray, coverages: np.ndarray
) -> RiskCoverage:
    """The curve of n pixels or samples. Those whose error or uncertainty is NaN do not count.

    Ties have no order: among equal uncertainties, the risk is the mean over all possible orders.

    Args:
        errors, uncertainties: float [n].
        coverages: shares in (0, 1]; each is rounded up to an integer count of at least one.

    Returns:
        The curve and areas; all NaN if nothing counts.
    """
    known = ~(np.isnan(errors) | np.isnan(uncertainties))
    errors = np.asarray(errors, np.float64)[known]
    if not len(errors):
        return RiskCoverage(np.full(len(coverages), np.nan), np.nan, np.nan, np.nan)
    curve, oracle = _curve(errors, uncertainties[known]), _curve(errors, errors)
    # The small offset keeps rounding errors out of ceil: 0.07 * 100 is 7.000000000000001.
    kept = np.ceil(np.asarray(coverages) * len(errors) - 1e-9).astype(int).clip(1, len(errors))
    return RiskCoverage(
        curve[kept - 1], float(curve.mean()), float(oracle.mean()), float(errors.mean())
    )


def _curve(errors: np.ndarray, uncertainties: np.ndarray) -> np.ndarray:
    """Mean error of the k most certain, k = 1 ... n; tied errors are replaced by their mean."""
    _, members, counts = np.unique(uncertainties, return_inverse=True, return_counts=True)
    means = np.bincount(members, weights=errors) / counts
    return np.cumsum(np.repeat(means, counts)) / np.arange(1, len(errors) + 1)
