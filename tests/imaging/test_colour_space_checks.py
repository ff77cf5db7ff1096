"""Doubts about declared colour spaces, from the contrast at edges and from the pixels."""

import numpy as np
import pytest

from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb
from albedo_pipeline.imaging.colour_space_checks import contrast_doubt, edge_contrast, pixel_doubt
from tests.support.pairs import tiled_scene


@pytest.mark.parametrize(
    ("spoil", "spaces", "expected"),
    [
        (lambda b, a: (b, a), ("linear", "linear"), ""),
        (lambda b, a: (encode_srgb(b), a), ("linear", "linear"), "beauty: declared linear, but"),
        (lambda b, a: (b, encode_srgb(a)), ("linear", "linear"), "albedo: declared linear, but"),
        (lambda b, a: (decode_srgb(b), a), ("srgb", "srgb"), "beauty: declared srgb, but looks li"),
        (lambda b, a: (b, decode_srgb(a)), ("srgb", "srgb"), "albedo: declared srgb, but looks li"),
    ],
)
def test_the_contrast_shows_a_wrong_space_of_one_image(spoil, spaces, expected) -> None:
    for seed in range(5):
        beauty, albedo, usable = tiled_scene(seed=seed)
        contrast = edge_contrast(*spoil(beauty, albedo), usable)
        doubt = contrast_doubt(contrast, *spaces)
        assert doubt.startswith(expected)
        assert bool(doubt) == bool(expected)


def test_two_possible_explanations_are_both_named() -> None:
    doubt = contrast_doubt(0.4, "linear", "srgb")
    assert doubt == (
        "beauty: declared linear, but looks encoded compared with the albedo; or "
        "albedo: declared srgb, but looks linear compared with the beauty"
    )


def test_too_few_edges_raise_no_doubt() -> None:
    flat = np.full((64, 64), 0.5, np.float32)
    contrast = edge_contrast(flat, flat, np.ones((64, 64), bool))
    assert np.isnan(contrast)
    assert contrast_doubt(contrast, "linear", "linear") == ""


def test_the_pixels_show_an_encoded_image() -> None:
    random = np.random.default_rng(0)
    smooth = random.random((64, 64, 3), np.float32)
    eight_bit = np.rint(smooth * 255).astype(np.float32) / 255
    assert pixel_doubt(smooth, "half", "linear") == ""
    assert pixel_doubt(smooth.astype(np.float16).astype(np.float32), "half", "linear") == ""
    assert "8-bit image" in pixel_doubt(eight_bit, "float", "linear")
    halves = eight_bit.astype(np.float16).astype(float)
    assert "8-bit image" in pixel_doubt(halves, "half", "linear")
    assert "stored in 8 bits" in pixel_doubt(eight_bit, "uint8", "linear")
    assert pixel_doubt(eight_bit, "uint8", "srgb") == ""
    assert "values exceed 1" in pixel_doubt(smooth * 3, "float", "srgb")
