"""Does the ensemble's uncertainty know where the albedo is wrong?"""

import numpy as np
import pandas as pd

from albedo_pipeline.metrics.risk_coverage import risk_coverage

COVERAGES = np.arange(1, 21) / 20
AREAS = ("aurc", "aurc_oracle", "aurc_random", "aurc_excess")
CURVES = ("split", "coverage", "risk", "oracle", "random", "n")
"""Columns of the table of curves."""


def pixel_risk(
    estimate: np.ndarray, truth: np.ndarray, uncertainty: np.ndarray, valid: np.ndarray
) -> tuple[dict[str, float], pd.DataFrame]:
    """Areas and curves of one sample: of its most certain pixels, the mean absolute error.

    Args:
        estimate, truth: [3, H, W], sRGB-encoded, in [0, 1].
        uncertainty: [1, H, W].
        valid: bool [1, H, W].
    """
    errors = np.abs(estimate - truth).mean(axis=0)[valid[0]]
    found = risk_coverage(errors, uncertainty[valid], COVERAGES)
    best = risk_coverage(errors, errors, COVERAGES)
    areas = (found.area, found.oracle_area, found.random_area, found.excess)
    curves = {"risk": found.risks, "oracle": best.risks, "random": found.random_area}
    return dict(zip(AREAS, areas, strict=True)), pd.DataFrame({"coverage": COVERAGES} | curves)


def mean_curves(curves: list[pd.DataFrame]) -> pd.DataFrame:
    """For each split and coverage the means over its samples, and their number n.

    Args:
        curves: one a sample, with its `split`; those of no valid pixel do not count.
    """
    if not curves:
        return pd.DataFrame(columns=list(CURVES))
    table = pd.concat(curves).dropna().groupby(["split", "coverage"], sort=False)
    return table.mean().assign(n=table.size()).reset_index()[list(CURVES)]
