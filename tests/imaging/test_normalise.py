"""Normalising one pair: known values, masks, columns of the audit, refusals."""

import numpy as np
import pytest

from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.crops import CropSettings
from albedo_pipeline.imaging.image import Image
from albedo_pipeline.imaging.normalise import NormalisedPair, normalise_pair
from albedo_pipeline.imaging.pixels import dequantize, to_tensor

NO_EXPOSURE = {"policy": "none", "percentile": 90, "target": 0.8, "stops": 0}


def pair(side: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    beauty = np.full((side, side, 3), 0.25, np.float32)
    albedo = np.full((side, side, 3), 0.5, np.float32)
    return beauty, albedo, np.ones((side, side), bool)


def normalised(
    beauty: np.ndarray, albedo: np.ndarray, valid: np.ndarray, side: int, exposure: dict
) -> NormalisedPair:
    """The one crop of a linear pair."""
    images = (Image(image, "linear", "float") for image in (beauty, albedo))
    crops = CropSettings([(side, side)], max_enlargement=8)
    (result,) = normalise_pair(*images, valid, crops, exposure)
    return result


def test_known_values_and_contract() -> None:
    result = normalised(*pair(), 4, NO_EXPOSURE)
    tensor = to_tensor(result.albedo)
    assert result.albedo.shape == (3, 4, 4)
    np.testing.assert_allclose(tensor.numpy(), 2 * encode_srgb(np.float32(0.5)) - 1, atol=3e-5)


def test_albedo_is_never_exposed() -> None:
    beauty, albedo, valid = pair()
    exposure = NO_EXPOSURE | {"policy": "fixed", "stops": 1}
    result = normalised(beauty, albedo, valid, 8, exposure)
    np.testing.assert_allclose(dequantize(result.beauty), encode_srgb(np.float32(0.5)), atol=1e-5)
    np.testing.assert_allclose(dequantize(result.albedo), encode_srgb(np.float32(0.5)), atol=1e-5)
    assert result.record["exposure"] == 2


def test_nonfinite_pixels_are_masked_and_do_not_spread() -> None:
    beauty, albedo, valid = pair()
    beauty[0, 0] = np.nan
    albedo[7, 7] = np.inf
    result = normalised(beauty, albedo, valid, 8, NO_EXPOSURE)
    assert result.valid[0, 0, 0] == 0
    assert result.valid[0, 7, 7] == 0
    assert result.record["valid_share"] == pytest.approx(62 / 64)


def test_clipped_pixels_are_counted() -> None:
    beauty, albedo, valid = pair()
    beauty[:2] = 3
    albedo[:1] = 1.5
    record = normalised(beauty, albedo, valid, 8, NO_EXPOSURE).record
    assert record["beauty_clipped_share"] == pytest.approx(0.25)
    assert record["albedo_clipped_share"] == pytest.approx(0.125)


def test_inputs_are_not_changed() -> None:
    arrays = pair()
    arrays[0][0, 0] = np.nan
    before = [a.copy() for a in arrays]
    normalised(*arrays, 4, NO_EXPOSURE)
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_sizes_that_differ_are_refused() -> None:
    beauty, albedo, valid = pair()
    with pytest.raises(ValueError, match=r"^albedo is 4 x 4 but beauty is 8 x 8$"):
        normalised(beauty, albedo[:4, :4], valid, 4, NO_EXPOSURE)
    with pytest.raises(ValueError, match=r"^mask is 8 x 4 but beauty is 8 x 8$"):
        normalised(beauty, albedo, valid[:4], 4, NO_EXPOSURE)


def test_each_image_is_read_in_its_own_space() -> None:
    encoded = np.full((8, 8, 3), 0.5, np.float32)
    white = np.ones((8, 8, 3), np.float32)
    images = Image(encoded, "srgb", "uint16"), Image(white, "acescg", "half")
    (result,) = normalise_pair(*images, pair()[2], CropSettings([(8, 8)]), NO_EXPOSURE)
    np.testing.assert_allclose(dequantize(result.beauty), 0.5, atol=2e-5)
    np.testing.assert_allclose(dequantize(result.albedo), 1, atol=2e-5)


def test_several_crops_of_a_wide_image_share_its_exposure() -> None:
    random = np.random.default_rng(0)
    beauty = random.random((32, 64, 3), np.float32)
    albedo = np.full((32, 64, 3), 0.5, np.float32)
    images = (Image(image, "linear", "float") for image in (beauty, albedo))
    crops = CropSettings([(16, 16), (16, 32)], count=3, share=0.5)
    exposure = NO_EXPOSURE | {"policy": "percentile"}
    results = normalise_pair(*images, np.ones((32, 64), bool), crops, exposure)
    assert [r.beauty.shape for r in results] == [(3, 16, 32)] * 3
    assert len({r.record["exposure"] for r in results}) == 1
    middle = encode_srgb(np.minimum(beauty[8:24, 16:48] * results[0].record["exposure"], 1))
    np.testing.assert_allclose(dequantize(results[0].beauty).transpose(1, 2, 0), middle, atol=2e-5)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 4096)])
def test_an_image_that_is_too_small_is_refused(height: int, width: int) -> None:
    image = Image(np.full((height, width, 3), 0.5, np.float32), "linear", "float")
    with pytest.raises(ValueError, match=f"{width} x {height} is too small: .* enlarged 64 times"):
        normalise_pair(image, image, np.ones((height, width), bool), CropSettings([(64, 64)]), {})


def test_albedo_outside_the_plausible_range_is_counted() -> None:
    beauty, albedo, valid = pair()
    albedo[0], albedo[1] = 0.001, 0.99
    record = normalised(beauty, albedo, valid, 8, NO_EXPOSURE).record
    assert record["albedo_implausible_share"] == pytest.approx(0.25)
