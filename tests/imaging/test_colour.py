"""The sRGB transfer function: published values and round trips."""

import numpy as np
import pytest

from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb, luminance


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
