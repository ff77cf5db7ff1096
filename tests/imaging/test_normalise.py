"""One pair through the normalising: known values, masks, records, refusals."""

import numpy as np
import pytest

from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.normalise import normalise_pair
from albedo_pipeline.imaging.pixels import dequantize, from_tensor, quantize, to_tensor

NO_EXPOSURE = {"policy": "none", "percentile": 90, "target": 0.8, "stops": 0}


def pair(side: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    beauty = np.full((side, side, 3), 0.25, np.float32)
    albedo = np.full((side, side, 3), 0.5, np.float32)
    return beauty, albedo, np.ones((side, side), bool)


def test_known_values_and_contract() -> None:
    result = normalise_pair(*pair(), 4, NO_EXPOSURE)
    tensor = to_tensor(result.albedo)
    assert result.albedo.shape == (3, 4, 4)
    np.testing.assert_allclose(tensor.numpy(), 2 * encode_srgb(np.float32(0.5)) - 1, atol=3e-5)


def test_albedo_is_never_exposed() -> None:
    beauty, albedo, valid = pair()
    exposure = NO_EXPOSURE | {"policy": "fixed", "stops": 1}
    result = normalise_pair(beauty, albedo, valid, 8, exposure)
    np.testing.assert_allclose(dequantize(result.beauty), encode_srgb(np.float32(0.5)), atol=1e-5)
    np.testing.assert_allclose(dequantize(result.albedo), encode_srgb(np.float32(0.5)), atol=1e-5)
    assert result.record["exposure"] == 2


def test_what_is_not_finite_is_masked_and_spreads_nowhere() -> None:
    beauty, albedo, valid = pair()
    beauty[0, 0] = np.nan
    albedo[7, 7] = np.inf
    result = normalise_pair(beauty, albedo, valid, 8, NO_EXPOSURE)
    assert result.valid[0, 0, 0] == 0
    assert result.valid[0, 7, 7] == 0
    assert result.record["valid_share"] == pytest.approx(62 / 64)


def test_clipping_is_counted() -> None:
    beauty, albedo, valid = pair()
    beauty[:2] = 3
    albedo[:1] = 1.5
    record = normalise_pair(beauty, albedo, valid, 8, NO_EXPOSURE).record
    assert record["beauty_clipped_share"] == pytest.approx(0.25)
    assert record["albedo_clipped_share"] == pytest.approx(0.125)


def test_inputs_are_left_alone() -> None:
    arrays = pair()
    arrays[0][0, 0] = np.nan
    before = [a.copy() for a in arrays]
    normalise_pair(*arrays, 4, NO_EXPOSURE)
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_refusals_say_why() -> None:
    beauty, albedo, valid = pair()
    with pytest.raises(ValueError, match="albedo is 4 x 4 but beauty is 8 x 8"):
        normalise_pair(beauty, albedo[:4, :4], valid, 4, NO_EXPOSURE)
    with pytest.raises(ValueError, match="every pixel is masked"):
        normalise_pair(beauty, albedo, ~valid, 4, NO_EXPOSURE)
    with pytest.raises(ValueError, match="no pixel is finite"):
        normalise_pair(beauty, albedo * np.nan, valid, 4, NO_EXPOSURE)


def test_sixteen_bits_come_back_exactly() -> None:
    levels = np.arange(65536, dtype=np.uint16)
    assert np.array_equal(quantize(dequantize(levels)), levels)
    assert np.array_equal(quantize(from_tensor(to_tensor(levels))), levels)
