"""How well the ensemble's uncertainty predicts the error of the albedo."""

import numpy as np
import pandas as pd

from albedo_pipeline.metrics.risk_coverage import (
    AURC,
    AURC_EXCESS,
    AURC_ORACLE,
    AURC_RANDOM,
    risk_coverage,
)

COVERAGES = np.arange(1, 21) / 20
CURVES = ("split", "coverage", "risk", "oracle", "random", "n")
"""Columns of the table of risk-coverage curves."""


def pixel_risk(
    estimate: np.ndarray, truth: np.ndarray, uncertainty: np.ndarray, valid: np.ndarray
) -> tuple[dict[str, float], pd.DataFrame]:
    """Areas and curves of one sample; the risk is the mean absolute error of its pixels.

    Args:
        estimate, truth: [3, H, W], sRGB-encoded, in [0, 1].
        uncertainty: [1, H, W].
        valid: bool [1, H, W].
    """
    errors = np.abs(estimate - truth).mean(axis=0)[valid[0]]
    curve = risk_coverage(errors, uncertainty[valid], COVERAGES)
    oracle = risk_coverage(errors, errors, COVERAGES)
    areas = {
        AURC.name: curve.area,
        AURC_ORACLE.name: curve.oracle_area,
        AURC_RANDOM.name: curve.random_area,
        AURC_EXCESS.name: curve.excess,
    }
    curves = {"risk": curve.risks, "oracle": oracle.risks, "random": curve.random_area}
    return areas, pd.DataFrame({"coverage": COVERAGES} | curves)


def mean_curves(curves: list[pd.DataFrame]) -> pd.DataFrame:
    """Means over the samples of each split and coverage, and the number of samples n.

    Args:
        curves: one per sample, with its `split`; samples without a valid pixel do not count.
    """
    if not curves:
        return pd.DataFrame(columns=list(CURVES))
    table = pd.concat(curves).dropna().groupby(["split", "coverage"], sort=False)
    return table.mean().assign(n=table.size()).reset_index()[list(CURVES)]
