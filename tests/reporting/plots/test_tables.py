"""Curves as tables: which rows and columns they have."""

import numpy as np
import pandas as pd

from albedo_pipeline.reporting.plots.tables import loss_points, risk_points, validation_points

LOG = pd.DataFrame(
    {
        "step": [1, 2, 2],
        "loss": [0.5, 0.4, np.nan],
        "learning_rate": [1e-3, 1e-4, np.nan],
        "validation_psnr": [np.nan, np.nan, 20.0],
    }
)


def test_loss_and_validation_are_separate_tables() -> None:
    losses = loss_points(LOG)
    assert losses.to_dict("list") == {
        "step": [1, 2],
        "loss": [0.5, 0.4],
        "learning_rate": [1e-3, 1e-4],
    }
    assert validation_points(LOG).to_dict("list") == {"step": [2], "psnr": [20.0]}


def test_the_risk_is_that_of_the_first_split() -> None:
    curves = pd.DataFrame(
        {"split": ["test", "test", "train"], "coverage": [0.5, 1, 1], "risk": [0.1, 0.2, 9]}
    )
    assert risk_points(curves).to_dict("list") == {"coverage": [0.5, 1], "risk": [0.1, 0.2]}
    assert risk_points(curves[:0]).empty  # no ensemble
