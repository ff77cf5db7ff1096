"""Exposure policies on made-up images."""

import numpy as np
import pytest

from albedo_pipeline.imaging.colour import encode_srgb, luminance
from albedo_pipeline.imaging.exposure import brightness_of, exposure_factor

PERCENTILE = {"policy": "percentile", "percentile": 90, "target": 0.8, "stops": 0}


def random_light(scale: float = 1.0, side: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """A linear HDR image and a mask that is true everywhere."""
    beauty = np.random.default_rng(0).uniform(0, 50, (side, side, 3)).astype(np.float32)
    return beauty * np.float32(scale), np.ones((side, side), bool)


def test_the_percentile_is_mapped_to_the_target() -> None:
    beauty, usable = random_light()
    factor = exposure_factor(luminance(beauty), usable, **PERCENTILE)
    anchored = encode_srgb(np.percentile(luminance(beauty * factor), 90))
    assert anchored == pytest.approx(0.8, abs=1e-4)


def test_exposure_cancels_the_scale_of_the_light() -> None:
    (dim, usable), (bright, _) = random_light(), random_light(1000)
    one, other = (exposure_factor(luminance(b), usable, **PERCENTILE) for b in (dim, bright))
    assert other == pytest.approx(one / 1000, rel=1e-5)


@pytest.mark.parametrize("policy", ["percentile", "brightest_channel", "hypersim"])
def test_masked_pixels_do_not_influence_the_exposure(policy: str) -> None:
    beauty, valid = random_light()
    valid[:30] = False
    settings = PERCENTILE | {"policy": policy}
    masked = beauty.copy()
    masked[:30] *= 1000
    brightness = brightness_of(policy)
    one, other = (exposure_factor(brightness(b), valid, **settings) for b in (beauty, masked))
    assert one == other


def test_hypersim_uses_its_published_tone_mapping() -> None:
    beauty, valid = random_light()
    brightness = brightness_of("hypersim")(beauty)
    expected = 0.8**2.2 / np.percentile(beauty @ np.array([0.3, 0.59, 0.11]), 90)
    factor = exposure_factor(brightness, valid, **(PERCENTILE | {"policy": "hypersim"}))
    assert factor == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("colour", [(1, 1, 1), (1, 0.4, 0.1), (0.1, 0.2, 1), (0, 0, 1)])
def test_the_brightest_channel_is_not_clipped_by_the_colour_of_the_light(colour: tuple) -> None:
    """A surface with reflectances of 0 to 1 in all channels, under white, warm and blue light."""
    reflectance = np.linspace(0, 1, 1000, dtype=np.float32)
    beauty = reflectance[None, :, None] * np.array(colour, np.float32)
    valid = np.ones(beauty.shape[:2], bool)
    clipped = {}
    for policy in ("percentile", "brightest_channel"):
        brightness = brightness_of(policy)(beauty)
        factor = exposure_factor(brightness, valid, **(PERCENTILE | {"policy": policy}))
        clipped[policy] = float((factor * beauty > 1).any(axis=-1).mean())
    assert clipped["brightest_channel"] == 0
    assert (clipped["percentile"] > 0.1) == (colour != (1, 1, 1))


def test_white_light_gives_both_percentile_policies_the_same_exposure() -> None:
    beauty, valid = random_light()
    beauty[..., 1:] = beauty[..., :1]
    one, other = (
        exposure_factor(brightness_of(p)(beauty), valid, **(PERCENTILE | {"policy": p}))
        for p in ("percentile", "brightest_channel")
    )
    assert other == pytest.approx(one, rel=1e-5)


def test_a_black_image_is_refused() -> None:
    usable = np.ones((4, 4), bool)
    with pytest.raises(ValueError, match="beauty is black"):
        exposure_factor(np.zeros((4, 4), np.float32), usable, **PERCENTILE)


@pytest.mark.parametrize("scale", [1e-44, 1e-40])
@pytest.mark.parametrize("policy", ["percentile", "brightest_channel", "hypersim"])
def test_an_image_too_dark_for_float32_is_black(policy: str, scale: float) -> None:
    beauty, usable = random_light(scale)
    with pytest.raises(ValueError, match=r"beauty is black: percentile 90 of .* is \d.*e-\d\d"):
        exposure_factor(brightness_of(policy)(beauty), usable, **(PERCENTILE | {"policy": policy}))


@pytest.mark.parametrize("scale", [1e-35, 1e36])
def test_extreme_light_is_exposed_as_any_other(scale: float) -> None:
    """No product of pixels and factor overflows, and none becomes NaN."""
    beauty, usable = random_light(scale)
    factor = exposure_factor(luminance(beauty), usable, **PERCENTILE)
    exposed = beauty * np.float32(factor)
    reference, _ = random_light()
    expected = reference * exposure_factor(luminance(reference), usable, **PERCENTILE)
    np.testing.assert_allclose(exposed, expected, rtol=1e-4)


@pytest.mark.parametrize(("policy", "expected"), [("fixed", 4.0), ("none", 1.0)])
def test_other_policies(policy: str, expected: float) -> None:
    light, usable = np.ones((2, 2), np.float32), np.ones((2, 2), bool)
    assert exposure_factor(light, usable, policy, 90, 0.8, stops=2) == expected
