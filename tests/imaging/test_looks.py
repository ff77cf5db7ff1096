"""What a look at a pair tells: wrong colour spaces, shifts, likeness."""

import numpy as np
import pytest

from albedo_pipeline.imaging.alignment import estimated_shift
from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb
from albedo_pipeline.imaging.colour_space_checks import contrast_doubt, edge_contrast, pixel_doubt
from albedo_pipeline.imaging.dhash import difference_hash


def scene(side: int = 128, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Linear grey beauty and albedo, [H, W]: random tiles under a smooth light."""
    random = np.random.default_rng(seed)
    tiles = random.uniform(0.05, 0.9, (16, 16)).astype(np.float32)
    albedo = np.kron(tiles, np.ones((side // 16, side // 16), np.float32))
    down, across = np.mgrid[:side, :side] / side
    light = 0.2 + 0.8 * (down + np.sin(5 * across) ** 2) / 2
    return (albedo * light).astype(np.float32), albedo, np.ones((side, side), bool)


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
def test_a_wrong_space_of_one_image_shows_in_the_contrast(spoil, spaces, expected) -> None:
    for seed in range(5):
        beauty, albedo, usable = scene(seed=seed)
        contrast = edge_contrast(*spoil(beauty, albedo), usable)
        assert contrast_doubt(contrast, *spaces).startswith(expected) or not expected
        assert bool(contrast_doubt(contrast, *spaces)) == bool(expected)


def test_both_explanations_are_told_where_there_are_two() -> None:
    doubt = contrast_doubt(0.4, "linear", "srgb")
    assert "beauty: declared linear, but looks encoded" in doubt
    assert "albedo: declared srgb, but looks linear" in doubt


def test_too_few_edges_tell_nothing() -> None:
    flat = np.full((64, 64), 0.5, np.float32)
    contrast = edge_contrast(flat, flat, np.ones((64, 64), bool))
    assert np.isnan(contrast)
    assert contrast_doubt(contrast, "linear", "linear") == ""


def test_values_tell_of_an_encoded_image() -> None:
    random = np.random.default_rng(0)
    smooth = random.random((64, 64, 3), np.float32)
    eight_bit = np.rint(smooth * 255).astype(np.float32) / 255
    assert pixel_doubt(smooth, "half", "linear") == ""
    assert pixel_doubt(smooth.astype(np.float16).astype(np.float32), "half", "linear") == ""
    assert "8-bit image" in pixel_doubt(eight_bit, "float", "linear")
    assert "8-bit image" in pixel_doubt(
        eight_bit.astype(np.float16).astype(float), "half", "linear"
    )
    assert "stored in 8 bits" in pixel_doubt(eight_bit, "uint8", "linear")
    assert pixel_doubt(eight_bit, "uint8", "srgb") == ""
    assert "values exceed 1" in pixel_doubt(smooth * 3, "float", "srgb")


@pytest.mark.parametrize("shift", [(0, 0), (5, 0), (0, -7), (-4, 3)])
def test_a_shift_is_found(shift: tuple[int, int]) -> None:
    for seed in range(3):
        beauty, albedo, usable = scene(seed=seed)
        moved = np.roll(albedo, (shift[1], shift[0]), (0, 1))
        assert estimated_shift(beauty, moved, usable) == shift


def test_nothing_is_found_in_pictures_that_tell_nothing() -> None:
    flat = np.full((64, 64), 0.5, np.float32)
    noise = np.random.default_rng(0).random((2, 64, 64)).astype(np.float32)
    usable = np.ones((64, 64), bool)
    assert estimated_shift(flat, flat, usable) == (0, 0)
    assert estimated_shift(noise[0], noise[1], usable) == (0, 0)
    assert estimated_shift(noise[0], noise[1], ~usable) == (0, 0)


def test_a_masked_border_is_not_an_edge() -> None:
    beauty, albedo, usable = scene()
    usable[:, :40] = False
    beauty[:, :40] = 0
    assert estimated_shift(beauty, albedo, usable) == (0, 0)


def test_the_code_survives_exposure_and_noise_and_tells_pictures_apart() -> None:
    first, second = (scene(seed=seed)[0] for seed in (0, 1))
    noisy = first * 3 * (1 + 0.01 * np.random.default_rng(0).normal(size=first.shape))
    codes = [difference_hash(grey.astype(np.float32)) for grey in (first, noisy, second)]
    near, far = (bin((codes[0] ^ code) & (2**64 - 1)).count("1") for code in codes[1:])
    assert near <= 3
    assert far > 16
