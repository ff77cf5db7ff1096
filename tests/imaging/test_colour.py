"""The sRGB transfer function and exposure: published values, round trips, hand-made pictures."""

import numpy as np
import pytest

from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb, luminance
from albedo_pipeline.imaging.exposure import exposure_factor, percentile_exposure


def test_known_values() -> None:
    # IEC 61966-2-1: linear below 0.0031308; middle grey 0.18 encodes to 0.4614 (8 bit: 118)
    np.testing.assert_allclose(
        encode_srgb(np.array([0, 0.001, 0.18, 1])), [0, 0.01292, 0.46135, 1], atol=1e-5
    )


def test_round_trip() -> None:
    values = np.linspace(0, 1, 4097, dtype=np.float32)
    np.testing.assert_allclose(decode_srgb(encode_srgb(values)), values, atol=1e-6)


def test_it_is_not_a_gamma_of_2_2() -> None:
    assert abs(encode_srgb(np.float32(0.01)) - 0.01 ** (1 / 2.2)) > 0.02


def test_luminance_of_white_is_one() -> None:
    assert luminance(np.ones(3, np.float32)) == pytest.approx(1)


def test_the_percentile_lands_on_the_target() -> None:
    beauty = np.random.default_rng(0).uniform(0, 50, (40, 40, 3)).astype(np.float32)
    usable = np.ones((40, 40), bool)
    factor = percentile_exposure(beauty, usable, 90, 0.8)
    anchored = encode_srgb(np.percentile(luminance(beauty * factor), 90))
    assert anchored == pytest.approx(0.8, abs=1e-4)


def test_exposure_takes_out_the_scale_of_the_light() -> None:
    beauty = np.random.default_rng(0).uniform(0, 5, (8, 8, 3)).astype(np.float32)
    usable = np.ones((8, 8), bool)
    one = percentile_exposure(beauty, usable, 90, 0.8)
    assert percentile_exposure(beauty * 1000, usable, 90, 0.8) == pytest.approx(
        one / 1000, rel=1e-5
    )


def test_black_is_refused() -> None:
    with pytest.raises(ValueError, match="beauty is black"):
        percentile_exposure(np.zeros((4, 4, 3), np.float32), np.ones((4, 4), bool), 90, 0.8)


@pytest.mark.parametrize(("policy", "expected"), [("fixed", 4.0), ("none", 1.0)])
def test_other_policies(policy: str, expected: float) -> None:
    beauty, usable = np.ones((2, 2, 3), np.float32), np.ones((2, 2), bool)
    assert exposure_factor(beauty, usable, policy, 90, 0.8, stops=2) == expected
