"""Views of random scenes: which draws are used, and what their renders have in common."""

from dataclasses import replace

import numpy as np
import pytest

from albedo_pipeline.rendering import Render, render_view
from albedo_pipeline.rendering.render import (
    MAX_ATTEMPTS,
    first_usable,
    reject_reason,
    render_lights,
)
from albedo_pipeline.rendering.scene import Scene, relight
from tests.support.renders import SMALL, WHITE_SKY, identical


def test_under_another_light_a_view_has_the_same_albedo_bit_for_bit() -> None:
    lamps = 0
    for scene in range(12):
        first, other = render_lights(5, scene, 0, SMALL, lights=2)
        both = first.valid & other.valid
        assert np.array_equal(first.albedo[both], other.albedo[both])
        assert both.mean() > 0.5
        brightness = [np.median(render.beauty[both], axis=0) for render in (first, other)]
        assert not np.allclose(*brightness, rtol=0.02)
        lamps += not np.array_equal(first.valid, other.valid)
    assert lamps  # some lamps are in view and hide what is behind them


def test_a_light_that_leaves_the_image_black_is_drawn_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dark = {"sky": WHITE_SKY | {"radiance": {"type": "rgb", "value": [0.0, 0.0, 0.0]}}}
    draws = iter([dark])

    def dark_at_first(rng: np.random.Generator, scene: Scene) -> Scene:
        drawn = relight(rng, scene)
        return replace(drawn, lights=next(draws, drawn.lights))

    monkeypatch.setattr("albedo_pipeline.rendering.render.relight", dark_at_first)
    first, other = render_lights(5, 0, 0, SMALL, lights=2)
    assert identical(first, render_view(5, 0, 0, SMALL))
    assert other.redrawn == (*first.redrawn, "black")
    both = first.valid & other.valid
    assert np.array_equal(first.albedo[both], other.albedo[both])


def test_another_seed_scene_or_view_gives_another_image() -> None:
    first = render_view(5, 0, 0, SMALL).beauty
    for key in [(6, 0, 0), (5, 1, 0), (5, 0, 1)]:
        assert not np.array_equal(first, render_view(*key, SMALL).beauty)


def test_shapes_types_and_ranges_of_a_render() -> None:
    for scene in range(4):
        render = render_view(5, scene, 0, SMALL)
        assert render.beauty.shape == render.albedo.shape == (16, 16, 3)
        assert render.beauty.dtype == render.albedo.dtype == np.float32
        assert render.valid.dtype == bool
        assert np.isfinite(render.beauty).all()
        assert render.beauty.min() >= 0
        valid_albedo = render.albedo[render.valid]
        assert valid_albedo.min() > 0
        assert valid_albedo.max() <= 1


def test_reasons_to_reject_a_draw() -> None:
    good = np.full((4, 4, 3), 0.5, np.float32)
    valid = np.ones((4, 4), bool)
    nan = good.copy()
    nan[0, 0, 0] = np.nan
    assert reject_reason(good, good, valid) is None
    assert reject_reason(nan, good, valid) == "nan"
    assert reject_reason(good, nan, valid) == "nan"
    assert reject_reason(good * 1e-4, good, valid) == "black"
    assert reject_reason(good, good, ~valid) == "empty"


def test_rejected_draws_are_repeated_and_their_reasons_recorded() -> None:
    good = np.full((4, 4, 3), 0.5, np.float32)
    valid = np.ones((4, 4), bool)
    draws = [good * np.nan, good * 0, good]
    (number, _), reasons = first_usable(lambda i: (i, Render(draws[i], good, valid, ())), "it")
    assert number == 2
    assert reasons == ("nan", "black")


def test_the_error_names_the_scene_and_the_reasons_if_no_draw_is_usable() -> None:
    black = Render(*np.zeros((2, 4, 4, 3), np.float32), np.ones((4, 4), bool), ())
    expected = rf"scene 3: none of {MAX_ATTEMPTS} draws is usable \(black, .*synthesize\.seed"
    with pytest.raises(RuntimeError, match=expected):
        first_usable(lambda attempt: (attempt, black), "scene 3")
