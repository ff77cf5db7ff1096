"""Bootstrap intervals of a mean and of a paired difference: known cases and the coverage."""

import warnings

import numpy as np
import pytest

from albedo_pipeline.metrics.bootstrap import bootstrap_difference, bootstrap_mean


def interval(values, groups, seed=0):
    random = np.random.default_rng(seed)
    return bootstrap_mean(np.asarray(values, float), np.asarray(groups), 1000, 0.95, random)


def test_equal_values_give_an_interval_of_width_zero() -> None:
    result = interval([2.0, 2.0, 2.0], ["a", "b", "c"])
    assert (result["mean"], result["low"], result["high"], result["n"]) == (2, 2, 2, 3)


def test_nan_does_not_count() -> None:
    result = interval([1.0, np.nan, 3.0], ["a", "b", "c"])
    assert result["mean"] == 2
    assert result["n"] == 2


def test_without_a_value_n_is_zero() -> None:
    assert interval([np.nan], ["a"])["n"] == 0


def test_copies_within_a_group_do_not_narrow_the_interval() -> None:
    values = np.random.default_rng(1).normal(size=30)
    once = interval(values, np.arange(30))
    tenfold = interval(np.repeat(values, 10), np.repeat(np.arange(30), 10))
    assert tenfold["high"] - tenfold["low"] == pytest.approx(once["high"] - once["low"], rel=0.05)


def test_the_interval_covers_the_true_mean_as_often_as_its_confidence() -> None:
    random = np.random.default_rng(2)
    covered = 0
    for trial in range(200):
        result = interval(random.normal(size=60), np.arange(60), seed=trial)
        covered += result["low"] <= 0 <= result["high"]
    assert 0.89 <= covered / 200 <= 0.99


def difference(a, b, groups):
    arrays = (np.asarray(a, float), np.asarray(b, float), np.asarray(groups))
    return bootstrap_difference(*arrays, 1000, 0.95, np.random.default_rng(0))


def test_a_constant_difference_gives_an_interval_of_width_zero() -> None:
    result = difference([1.5, 7.5, 3.5], [1, 7, 3], ["a", "b", "c"])
    assert (result["mean"], result["low"], result["high"]) == (0.5, 0.5, 0.5)


def test_the_interval_of_a_difference_is_that_of_the_differences() -> None:
    random = np.random.default_rng(3)
    a, b, groups = random.normal(size=20), random.normal(size=20), np.arange(20) // 2
    assert difference(a, b, groups) == interval(a - b, groups)


def test_pairing_cancels_how_difficult_samples_are() -> None:
    random = np.random.default_rng(4)
    difficulty, gain = 10 * random.normal(size=50), random.normal(1, 0.1, size=50)
    result = difference(difficulty + gain, difficulty, np.arange(50))
    assert result["low"] > 0.9
    assert interval(difficulty + gain, np.arange(50))["low"] < 0


def test_one_group_gives_no_interval() -> None:
    result = interval([1.0, 3.0], ["a", "a"])
    assert (result["mean"], result["n"], result["groups"]) == (2, 2, 1)
    assert np.isnan([result["low"], result["high"]]).all()


@pytest.mark.parametrize(("values", "mean"), [([np.inf, 1], np.inf), ([np.inf, -np.inf], np.nan)])
def test_there_is_no_interval_if_the_mean_is_not_finite(values: list[float], mean: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = interval([*values, 2.0], ["a", "b", "c"])
    np.testing.assert_equal(result["mean"], mean)
    assert np.isnan([result["low"], result["high"]]).all()
    assert (result["n"], result["groups"]) == (3, 3)


def test_a_sample_that_is_nan_in_one_run_does_not_count() -> None:
    result = difference([1, np.nan, 5], [0, 0, np.nan], ["a", "b", "c"])
    assert (result["mean"], result["n"], result["groups"]) == (1, 1, 1)


def test_two_infinite_values_do_not_differ() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = difference([np.inf, 3], [np.inf, 1], ["a", "b"])
    assert result["mean"] == 1
