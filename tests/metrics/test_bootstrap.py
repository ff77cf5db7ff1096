"""The bootstrap interval: known cases and its coverage."""

import numpy as np
import pytest

from albedo_pipeline.metrics.bootstrap import bootstrap_mean


def interval(values, groups, seed=0):
    random = np.random.default_rng(seed)
    return bootstrap_mean(np.asarray(values, float), np.asarray(groups), 1000, 0.95, random)


def test_equal_values_have_no_spread() -> None:
    result = interval([2.0, 2.0, 2.0], ["a", "b", "c"])
    assert (result["mean"], result["low"], result["high"], result["n"]) == (2, 2, 2, 3)


def test_nan_does_not_count() -> None:
    result = interval([1.0, np.nan, 3.0], ["a", "b", "c"])
    assert result["mean"] == 2
    assert result["n"] == 2


def test_nothing_judged() -> None:
    assert interval([np.nan], ["a"])["n"] == 0


def test_copies_within_a_group_do_not_narrow_the_interval() -> None:
    values = np.random.default_rng(1).normal(size=30)
    once = interval(values, np.arange(30))
    tenfold = interval(np.repeat(values, 10), np.repeat(np.arange(30), 10))
    assert tenfold["high"] - tenfold["low"] == pytest.approx(once["high"] - once["low"], rel=0.05)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(2)
    covered = 0
    for trial in range(200):
        result = interval(random.normal(size=60), np.arange(60), seed=trial)
        covered += result["low"] <= 0 <= result["high"]
    assert 0.89 <= covered / 200 <= 0.99
