"""Risk and coverage of one sample, and mean curves."""

import numpy as np
import pytest

from albedo_pipeline.evaluation.risk import CURVES, mean_curves, pixel_risk


def sample(uncertainty: np.ndarray):
    """Errors 0.1, 0.2, 0.3 and 0.4, and a masked pixel with a large error and low uncertainty."""
    errors = np.array([[0.1, 0.2, 0.3, 0.4, 0.9]])
    truth = np.zeros((3, 1, 5))
    valid = np.array([[[True, True, True, True, False]]])
    return pixel_risk(
        np.broadcast_to(errors, (3, 1, 5)), truth, uncertainty.reshape(1, 1, 5), valid
    )


def test_areas_and_curve_by_hand() -> None:
    areas, curve = sample(np.array([0.4, 0.3, 0.2, 0.1, 0.0]))  # most certain at the largest error
    # Most certain first: 0.4, then (0.4 + 0.3) / 2, and so on.
    assert areas["aurc"] == pytest.approx((0.4 + 0.35 + 0.3 + 0.25) / 4)
    assert areas["aurc_oracle"] == pytest.approx((0.1 + 0.15 + 0.2 + 0.25) / 4)
    assert areas["aurc_random"] == pytest.approx(0.25)
    assert areas["aurc_excess"] == pytest.approx(areas["aurc"] - areas["aurc_oracle"])
    by_coverage = curve.set_index("coverage")
    assert by_coverage.loc[0.5].tolist() == pytest.approx([0.35, 0.15, 0.25])
    assert by_coverage.loc[1.0].tolist() == pytest.approx([0.25, 0.25, 0.25])


def test_an_uncertainty_in_the_order_of_the_error_is_the_oracle() -> None:
    areas, curve = sample(np.array([0.1, 0.2, 0.3, 0.4, 0.0]))
    assert areas["aurc_excess"] == pytest.approx(0)
    assert curve["risk"].tolist() == pytest.approx(curve["oracle"].tolist())


def test_mean_curves_are_means_over_the_samples() -> None:
    good = sample(np.array([0.1, 0.2, 0.3, 0.4, 0.0]))[1].assign(split="test")
    bad = sample(np.array([0.4, 0.3, 0.2, 0.1, 0.0]))[1].assign(split="test")
    table = mean_curves([good, bad])
    assert list(table) == list(CURVES)
    assert (table["n"] == 2).all()
    half = table.set_index("coverage").loc[0.5]
    assert half["risk"] == pytest.approx((0.15 + 0.35) / 2)
    assert half["oracle"] == pytest.approx(0.15)


def test_without_an_ensemble_the_table_is_empty() -> None:
    table = mean_curves([])
    assert list(table) == list(CURVES)
    assert table.empty
