"""Preparing a complete pair: masks, columns of the audit, refusals."""

import numpy as np
import pytest

from albedo_pipeline.imaging.declarations import ColourNotes
from albedo_pipeline.imaging.image import Image
from albedo_pipeline.imaging.prepare_pair import PreparedPair, prepare_pair

NO_EXPOSURE = {"policy": "none", "percentile": 90, "target": 0.8, "stops": 0}
ALL = np.ones((8, 8), bool)


def prepared(
    beauty: np.ndarray, albedo: np.ndarray, valid: np.ndarray = ALL, space: str = "linear"
) -> PreparedPair:
    """A pair of a beauty in `space` and a linear albedo, without exposure."""
    images = Image(beauty, space, "half"), Image(albedo, "linear", "float")
    return prepare_pair(*images, valid, NO_EXPOSURE)


def grey_pair() -> tuple[np.ndarray, np.ndarray]:
    return np.full((8, 8, 3), 0.25, np.float32), np.full((8, 8, 3), 0.5, np.float32)


def test_shares_of_unusable_pixels_are_recorded() -> None:
    beauty, albedo = grey_pair()
    beauty[0, 0], beauty[0, 1, 2], albedo[2, 2, 0] = np.nan, np.inf, -0.5
    pair = prepared(beauty, albedo)
    assert pair.record["nonfinite_share"] == pytest.approx(2 / 64)
    assert pair.record["negative_share"] == pytest.approx(1 / 64)
    assert pair.record["albedo_min"] == 0
    assert pair.record["beauty_max"] == 0.25
    assert pair.valid.sum() == 61


def test_the_share_of_colours_outside_rec709_is_recorded() -> None:
    beauty, albedo = grey_pair()
    beauty[:2] = (0, 0.5, 0)
    pair = prepared(beauty, albedo, space="acescg")
    assert pair.record["out_of_gamut_share"] == pytest.approx(0.25)
    assert pair.valid.all()


def test_valid_pixels_are_usable_and_in_the_readers_mask() -> None:
    beauty, albedo = grey_pair()
    albedo[0] = np.nan
    valid = ALL.copy()
    valid[:, 0] = False
    pair = prepared(beauty, albedo, valid)
    assert (pair.usable.sum(), pair.valid.sum()) == (56, 49)


def test_a_doubtful_colour_space_is_recorded() -> None:
    beauty, albedo = grey_pair()
    suspicion = prepared(beauty * 8, albedo, space="srgb").record["colour_suspicion"]
    assert suspicion == "beauty: declared sRGB, but values exceed 1"


def test_what_the_tags_say_is_recorded() -> None:
    beauty, albedo = grey_pair()
    converted = ColourNotes("ICC profile (Display P3), converted", out_of_gamut=16)
    contradicted = ColourNotes(doubt="declared linear, but the file says PNG chunk sRGB")
    pair = prepare_pair(
        Image(beauty, "linear", "uint8", converted),
        Image(albedo, "linear", "float", contradicted),
        ALL,
        NO_EXPOSURE,
    )
    assert pair.record["beauty_colour_source"] == "ICC profile (Display P3), converted"
    assert pair.record["albedo_colour_source"] == "declared"
    assert pair.record["out_of_gamut_share"] == 16 / 64
    # The 8 bits of the beauty raise no doubt, because its tag says that they are linear.
    suspicion = "albedo: declared linear, but the file says PNG chunk sRGB"
    assert pair.record["colour_suspicion"] == suspicion


def test_pairs_without_a_usable_pixel_are_refused() -> None:
    beauty, albedo = grey_pair()
    with pytest.raises(ValueError, match=r"^every pixel is masked$"):
        prepared(beauty, albedo, ~ALL)
    with pytest.raises(ValueError, match=r"^no pixel is finite and non-negative in both images$"):
        prepared(beauty, albedo * np.nan)
