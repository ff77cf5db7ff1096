"""Risk-coverage curves by hand; ties are compared with the mean over all orders."""

from itertools import permutations

import numpy as np
import pytest

from albedo_pipeline.metrics.risk_coverage import risk_coverage

QUARTERS = np.array([0.25, 0.5, 0.75, 1.0])


def test_the_order_of_the_oracle() -> None:
    errors = np.array([4.0, 1, 3, 2])
    result = risk_coverage(errors, errors * 10, QUARTERS)
    np.testing.assert_allclose(result.risks, [1, 1.5, 2, 2.5])
    assert (result.area, result.oracle_area, result.random_area) == (1.75, 1.75, 2.5)
    assert result.excess == 0


def test_the_worst_order() -> None:
    errors = np.array([4.0, 1, 3, 2])
    result = risk_coverage(errors, -errors, QUARTERS)
    np.testing.assert_allclose(result.risks, [4, 3.5, 3, 2.5])
    assert result.area == 3.25
    assert result.excess == 1.5


def test_equal_uncertainties_are_a_random_order() -> None:
    result = risk_coverage(np.array([4.0, 1, 3, 2]), np.zeros(4), QUARTERS)
    assert result.area == result.random_area == 2.5


def test_the_risk_of_ties_is_the_mean_over_their_orders() -> None:
    errors, uncertainties = np.array([5.0, 1, 2, 7, 4]), np.array([0.0, 1, 1, 1, 2])
    orders = [[0, *tie, 4] for tie in permutations((1, 2, 3))]
    curves = [np.cumsum(errors[order]) / np.arange(1, 6) for order in orders]
    result = risk_coverage(errors, uncertainties, np.arange(1, 6) / 5)
    np.testing.assert_allclose(result.risks, np.mean(curves, axis=0))


def test_the_order_of_the_samples_does_not_matter() -> None:
    random = np.random.default_rng(0)
    errors, uncertainties = random.random(50), random.integers(5, size=50) / 5
    order = random.permutation(50)
    a = risk_coverage(errors, uncertainties, QUARTERS)
    b = risk_coverage(errors[order], uncertainties[order], QUARTERS)
    assert a.area == pytest.approx(b.area, abs=1e-12)
    np.testing.assert_allclose(a.risks, b.risks)


def test_coverages_are_rounded_up_to_whole_counts() -> None:
    errors = np.arange(1.0, 101)
    result = risk_coverage(errors, errors, np.array([0.001, 0.07, 0.071]))
    np.testing.assert_allclose(result.risks, [1, 4, 4.5])


def test_nan_does_not_count() -> None:
    errors, uncertainties = np.array([1.0, np.nan, 3, 9]), np.array([1, 0, 2, np.nan])
    result = risk_coverage(errors, uncertainties, np.array([0.5, 1.0]))
    np.testing.assert_allclose(result.risks, [1, 2])


def test_without_a_value_everything_is_nan() -> None:
    result = risk_coverage(np.array([np.nan]), np.array([1.0]), QUARTERS)
    assert np.isnan([*result.risks, result.area, result.random_area, result.excess]).all()
