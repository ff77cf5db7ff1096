"""Renders: pure functions of (seed, scene, view, light), whose albedo and mask can be trusted."""

from dataclasses import replace

import numpy as np
import pytest

from albedo_pipeline.rendering import Render, RenderSettings, render_all, render_view
from albedo_pipeline.rendering.cameras import Camera
from albedo_pipeline.rendering.engine import build_scene, render_scene
from albedo_pipeline.rendering.materials import KINDS, material, plain
from albedo_pipeline.rendering.meshes import quad
from albedo_pipeline.rendering.render import ATTEMPTS, first_good, reject_reason, render_lights
from albedo_pipeline.rendering.scene import Scene, relit

SMALL = RenderSettings(resolution=16, samples_per_pixel=4, max_depth=3)
ABOVE = Camera(origin=np.array([0.0, 0.01, 4.0]), target=np.zeros(3))
COLOUR = np.array([0.62, 0.21, 0.07])
SKY = {"type": "constant", "radiance": {"type": "rgb", "value": [1.0, 1.0, 1.0]}}


def floor(half: float, surface: dict) -> dict:
    corners = ([-half, -half, 0], [half, -half, 0], [half, half, 0], [-half, half, 0])
    return {"type": "mesh", "mesh": quad(*corners), **surface}


def equal(a: Render, b: Render) -> bool:
    return a.redrawn == b.redrawn and all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in ("beauty", "albedo", "valid")
    )


def test_neither_order_nor_the_number_of_processes_changes_a_bit() -> None:
    alone = {(s, v, 0): render_view(5, s, v, SMALL) for s, v in [(1, 1), (0, 0), (1, 0), (0, 1)]}
    # Of three lights the second one is the same as of two.
    alone |= {(s, 0, 1): render_lights(5, s, 0, SMALL, lights=3)[1] for s in (1, 0)}
    for processes in (1, 2):
        made = list(render_all(5, range(2), 2, 1, SMALL, processes))
        places = [(s, v, light) for s in range(2) for v, light in [(0, 0), (0, 1), (1, 0)]]
        assert [tuple(place) for *place, _ in made] == places
        assert all(equal(render, alone[tuple(place)]) for *place, render in made)


def test_under_another_light_a_view_has_the_same_albedo_bit_for_bit() -> None:
    lamps = 0
    for scene in range(12):
        own, other = render_lights(5, scene, 0, SMALL, lights=2)
        both = own.valid & other.valid
        assert np.array_equal(own.albedo[both], other.albedo[both])
        assert both.mean() > 0.5
        brightness = [np.median(r.beauty[both], axis=0) for r in (own, other)]
        assert not np.allclose(*brightness, rtol=0.02)
        lamps += not np.array_equal(own.valid, other.valid)
    assert lamps  # some stand in view, and hide what is behind them


def test_a_light_that_leaves_the_picture_black_is_drawn_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dark = {"sky": SKY | {"radiance": {"type": "rgb", "value": [0.0, 0.0, 0.0]}}}
    draws = iter([dark])

    def first_dark(rng: np.random.Generator, scene: Scene) -> Scene:
        drawn = relit(rng, scene)
        return replace(drawn, lights=next(draws, drawn.lights))

    monkeypatch.setattr("albedo_pipeline.rendering.render.relit", first_dark)
    own, other = render_lights(5, 0, 0, SMALL, lights=2)
    assert equal(own, render_view(5, 0, 0, SMALL))
    assert other.redrawn == (*own.redrawn, "black")
    both = own.valid & other.valid
    assert np.array_equal(own.albedo[both], other.albedo[both])


def test_seed_scene_and_view_each_give_another_picture() -> None:
    first = render_view(5, 0, 0, SMALL).beauty
    for place in [(6, 0, 0), (5, 1, 0), (5, 0, 1)]:
        assert not np.array_equal(first, render_view(*place, SMALL).beauty)


def test_a_render_keeps_its_promises() -> None:
    for scene in range(4):
        render = render_view(5, scene, 0, SMALL)
        assert render.beauty.shape == render.albedo.shape == (16, 16, 3)
        assert render.beauty.dtype == render.albedo.dtype == np.float32
        assert render.valid.dtype == bool
        assert np.isfinite(render.beauty).all()
        assert render.beauty.min() >= 0
        trusted = render.albedo[render.valid]
        assert trusted.min() > 0
        assert trusted.max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_albedo_is_the_reflectance_that_was_asked_for(kind: str) -> None:
    surface = material(np.random.default_rng(0), kind, plain(COLOUR))
    parts = {"floor": floor(10, {"bsdf": surface}), "sky": SKY}
    _, albedo, valid = render_scene(build_scene(parts), ABOVE, SMALL, seed=1, surface_seed=1)
    assert valid.all()
    np.testing.assert_allclose(albedo, np.broadcast_to(COLOUR, albedo.shape), atol=1e-3)


def test_a_matt_floor_under_an_even_sky_shines_as_its_albedo() -> None:
    """Irradiance pi of radiance 1 on a Lambertian surface leaves as albedo x 1."""
    surface = material(np.random.default_rng(0), "diffuse", plain(COLOUR))
    parts = {"floor": floor(10, {"bsdf": surface}), "sky": SKY}
    beauty, _, _ = render_scene(
        build_scene(parts), ABOVE, RenderSettings(8, 256, 3), seed=1, surface_seed=1
    )
    np.testing.assert_allclose(beauty.mean(axis=(0, 1)), COLOUR, rtol=0.01)


def test_background_and_lights_are_not_valid() -> None:
    surface = material(np.random.default_rng(0), "diffuse", plain(COLOUR))
    parts = {"floor": floor(0.8, {"bsdf": surface}), "sky": SKY}
    _, albedo, valid = render_scene(
        build_scene(parts), ABOVE, RenderSettings(32, 16, 3), seed=1, surface_seed=1
    )
    assert valid[16, 16]
    assert not valid[0].any()
    # the border's pixels are part background: none of them may count with a mixed albedo
    np.testing.assert_allclose(
        albedo[valid], np.broadcast_to(COLOUR, albedo[valid].shape), atol=1e-3
    )
    lamp = {"emitter": {"type": "area", "radiance": {"type": "rgb", "value": [5.0, 5.0, 5.0]}}}
    _, _, valid = render_scene(
        build_scene({"lamp": floor(10, lamp)}), ABOVE, SMALL, seed=1, surface_seed=1
    )
    assert not valid.any()


def test_reasons_to_draw_again() -> None:
    good = np.full((4, 4, 3), 0.5, np.float32)
    valid = np.ones((4, 4), bool)
    nan = good.copy()
    nan[0, 0, 0] = np.nan
    assert reject_reason(good, good, valid) is None
    assert reject_reason(nan, good, valid) == "nan"
    assert reject_reason(good, nan, valid) == "nan"
    assert reject_reason(good * 1e-4, good, valid) == "black"
    assert reject_reason(good, good, ~valid) == "empty"


def test_bad_draws_are_thrown_away_and_recorded() -> None:
    good = np.full((4, 4, 3), 0.5, np.float32)
    valid = np.ones((4, 4), bool)
    draws = [good * np.nan, good * 0, good]
    (number, _), reasons = first_good(lambda i: (i, Render(draws[i], good, valid, ())), "it")
    assert number == 2
    assert reasons == ("nan", "black")


def test_without_a_good_draw_it_gives_up_and_says_what() -> None:
    black = Render(*np.zeros((2, 4, 4, 3), np.float32), np.ones((4, 4), bool), ())
    with pytest.raises(RuntimeError, match=f"scene 3: none of {ATTEMPTS} draws is usable: black"):
        first_good(lambda attempt: (attempt, black), "scene 3")


def test_a_worker_that_fails_ends_the_run_with_its_message() -> None:
    with pytest.raises(Exception, match=r"resolution|width|size|positive|zero"):
        list(render_all(5, range(1), 1, 0, RenderSettings(0, 1, 2), 1))
