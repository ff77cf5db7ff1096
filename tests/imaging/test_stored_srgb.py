"""Linear light => stored pixels: the same as the curve and rounding in float64."""

import numpy as np
import pytest

from albedo_pipeline.imaging.pixels import FULL_SCALE, dequantize
from albedo_pipeline.imaging.stored_srgb import stored_srgb


def _by_the_standard(linear: np.ndarray) -> np.ndarray:
    x = np.clip(linear.astype(np.float64), 0, 1)
    encoded = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    return np.rint(FULL_SCALE * encoded).astype(np.uint16)


def _linear(encoded: np.ndarray) -> np.ndarray:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def test_floats_on_both_sides_of_every_threshold_are_exact() -> None:
    near = _linear((np.arange(1, FULL_SCALE + 1) - 0.5) / FULL_SCALE).astype(np.float32)
    below, above = np.nextafter(near, np.float32(0)), np.nextafter(near, np.float32(2))
    for values in (below, near, above):
        assert np.array_equal(stored_srgb(values), _by_the_standard(values))


@pytest.mark.parametrize("power", [1, 4])
def test_any_value_is_exact(power: int) -> None:
    values = np.random.default_rng(0).random(500_000, dtype=np.float32) ** power
    assert np.array_equal(stored_srgb(values), _by_the_standard(values))


def test_values_outside_are_clipped() -> None:
    values = np.array([-1, -0.0, 0, 1e-30, 1, np.nextafter(1, 2), 7, np.inf], np.float32)
    assert stored_srgb(values).tolist() == [0] * 4 + [FULL_SCALE] * 4


def test_every_16_bit_value_survives_the_round_trip() -> None:
    values = np.arange(FULL_SCALE + 1, dtype=np.uint16)
    linear = _linear(dequantize(values).astype(np.float64)).astype(np.float32)
    assert np.array_equal(stored_srgb(linear), values)


def test_any_layout_and_shape_is_read() -> None:
    values = np.random.default_rng(1).random((5, 7, 3), dtype=np.float32)
    turned = values.transpose(2, 0, 1)
    assert np.array_equal(stored_srgb(turned), stored_srgb(values).transpose(2, 0, 1))
