"""Exposure policies on hand-made pictures."""

import numpy as np
import pytest

from albedo_pipeline.imaging.colour import encode_srgb, luminance
from albedo_pipeline.imaging.exposure import brightness_weights, exposure_factor

PERCENTILE = {"policy": "percentile", "percentile": 90, "target": 0.8, "stops": 0}


def random_light(scale: float = 1.0, side: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """A linear HDR picture and a mask that is true everywhere."""
    beauty = np.random.default_rng(0).uniform(0, 50, (side, side, 3)).astype(np.float32)
    return beauty * np.float32(scale), np.ones((side, side), bool)


def test_the_percentile_lands_on_the_target() -> None:
    beauty, usable = random_light()
    factor = exposure_factor(luminance(beauty), usable, usable, **PERCENTILE)
    anchored = encode_srgb(np.percentile(luminance(beauty * factor), 90))
    assert anchored == pytest.approx(0.8, abs=1e-4)


def test_exposure_takes_out_the_scale_of_the_light() -> None:
    (dim, usable), (bright, _) = random_light(), random_light(1000)
    one, other = (
        exposure_factor(luminance(b), usable, usable, **PERCENTILE) for b in (dim, bright)
    )
    assert other == pytest.approx(one / 1000, rel=1e-5)


def test_a_masked_pixel_belongs_to_the_picture_unless_the_policy_says_otherwise() -> None:
    beauty, sound = random_light()
    beauty[:20] *= 100
    valid = sound.copy()
    valid[:20] = False
    hypersim = PERCENTILE | {"policy": "hypersim"}
    light = luminance(beauty)
    masked, whole = (exposure_factor(light, sound, m, **PERCENTILE) for m in (valid, sound))
    assert masked == whole
    brightness = beauty @ brightness_weights("hypersim")
    expected = 0.8**2.2 / np.percentile(beauty[20:] @ np.array([0.3, 0.59, 0.11]), 90)
    found = exposure_factor(brightness, sound, valid, **hypersim)
    assert found == pytest.approx(expected, rel=1e-5)


def test_black_is_refused() -> None:
    usable = np.ones((4, 4), bool)
    with pytest.raises(ValueError, match="beauty is black"):
        exposure_factor(np.zeros((4, 4), np.float32), usable, usable, **PERCENTILE)


@pytest.mark.parametrize(("policy", "expected"), [("fixed", 4.0), ("none", 1.0)])
def test_other_policies(policy: str, expected: float) -> None:
    light, usable = np.ones((2, 2), np.float32), np.ones((2, 2), bool)
    assert exposure_factor(light, usable, usable, policy, 90, 0.8, stops=2) == expected
