"""Pictures of a prediction for the screen."""

import numpy as np
import pytest

from albedo_pipeline.app.views import VIEWS, Light, Preview, overlay, picture, shading
from albedo_pipeline.artifacts.user_results import UserPrediction
from albedo_pipeline.imaging.colormap import coloured
from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb


def preview(beauty: float, albedo: float, uncertainty: float | None = None) -> Preview:
    plane = np.ones((2, 3, 3), np.float32)
    spread = None if uncertainty is None else plane[..., 0] * np.float32(uncertainty)
    return Preview(plane * np.float32(beauty), plane * np.float32(albedo), spread)


def level(linear: float) -> int:
    return round(255 * float(encode_srgb(np.float32(linear))))


def test_small_pictures_are_enlarged_by_a_whole_number() -> None:
    shown = picture(preview(0.25, 0.5), "Albedo", Light())
    assert shown.shape == (320, 480, 3)
    assert shown.dtype == np.uint8
    assert set(shown.flat) == {level(0.5)}


def test_the_relit_albedo_is_the_albedo_times_the_light() -> None:
    light = Light.picked("#ff8000", 1.0)
    green = float(decode_srgb(np.float32(128 / 255)))
    shown = picture(preview(0.9, 0.25), "Relit albedo", light)[0, 0]
    assert shown.tolist() == [level(0.5), level(0.5 * green), 0]


def test_a_colour_picker_may_give_rgba() -> None:
    assert Light.picked("rgba(255, 128.0, 0, 1)", 0) == Light.picked("#ff8000", 0)


def test_the_shading_is_beauty_over_albedo_with_its_brightest_part_white() -> None:
    beauty, albedo = np.full((10, 10, 3), 0.2), np.full((10, 10, 3), 0.4)
    beauty[:5] = 0.1
    quotient = shading(beauty, albedo)
    assert quotient[0, 0].tolist() == pytest.approx([0.5] * 3)
    assert quotient[9, 9].tolist() == pytest.approx([1.0] * 3)
    assert np.isfinite(shading(beauty, np.zeros_like(albedo))).all()
    assert (shading(np.zeros_like(beauty), albedo) == 0).all()


def test_the_overlay_leaves_certain_pixels_as_they_are() -> None:
    shown = np.full((1, 3, 3), 200, np.uint8)
    painted = overlay(shown, np.array([[0.0, 0.05, 0.1]]))
    assert painted[0, 0].tolist() == [200, 200, 200]
    middle, brightest = coloured(np.array([0.5, 1.0])).tolist()
    assert painted[0, 2].tolist() == brightest
    assert painted[0, 1].tolist() == [round((200 + channel) / 2) for channel in middle]


def test_the_uncertainty_can_be_shown_only_if_there_is_one() -> None:
    assert "Uncertainty" not in preview(1, 1).views
    assert preview(1, 1, 0.1).views == list(VIEWS)
    with pytest.raises(ValueError, match="set members to 2 or more"):
        picture(preview(1, 1), "Uncertainty", Light())


def test_a_preview_has_at_most_1280_pixels_on_its_longer_side() -> None:
    albedo = np.full((10, 2560, 3), 0.5, np.float16)
    prediction = UserPrediction(np.full((10, 2560, 3), 65535, np.uint16), albedo, albedo, {})
    small = Preview.of(prediction)
    assert small.beauty.shape == small.albedo.shape == (5, 1280, 3)
    assert small.uncertainty is not None
    assert small.uncertainty.shape == (5, 1280)
    assert (small.beauty == 1).all()
    assert (small.albedo == 0.5).all()
