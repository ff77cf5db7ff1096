"""Flicker: the change of a prediction where its reference stays the same."""

import numpy as np
import pytest

from albedo_pipeline.metrics.flicker import TOLERANCE, Flicker, flicker_of_pair


def grey(*values: float) -> np.ndarray:
    """One row of grey pixels, float32 [1, W, 3]."""
    return np.repeat(np.array(values, np.float32)[None, :, None], 3, axis=2)


def test_only_pixels_whose_reference_stays_the_same_count() -> None:
    before, after = grey(0.2, 0.2, 0.2), grey(0.3, 0.2, 0.9)
    pair = flicker_of_pair(before, after, grey(0.5, 0.5, 0.5), grey(0.5, 0.5, 0.8))
    assert pair.mean == pytest.approx(0.05)
    assert (pair.still, pair.pixels) == (2, 3)


def test_one_changed_channel_is_a_change() -> None:
    reference, other = grey(0.5), grey(0.5)
    other[0, 0, 2] += 2 * TOLERANCE
    assert flicker_of_pair(grey(0.1), grey(0.2), reference, other).still == 0
    other[0, 0, 2] = 0.5 + 0.9 * TOLERANCE
    assert flicker_of_pair(grey(0.1), grey(0.2), reference, other).still == 1


def test_pairs_are_weighted_by_their_still_pixels() -> None:
    total = Flicker(0.4, 4, 10) + Flicker(0.6, 1, 10)
    assert total.mean == pytest.approx(0.2)
    assert total.still_share == 0.25


def test_without_a_still_pixel_there_is_no_flicker() -> None:
    assert Flicker().mean is None
    assert Flicker().still_share == 0.0
    assert flicker_of_pair(grey(0.1), grey(0.9), grey(0.1), grey(0.9)).mean is None
