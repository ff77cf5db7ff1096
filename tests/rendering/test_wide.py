"""The world `wide`: every kind of place renders, with sound albedo; `tabletop` is not affected."""

import numpy as np
import pytest

from albedo_pipeline.params import SynthesizeParams
from albedo_pipeline.rendering import RenderSettings, render_all, render_view
from albedo_pipeline.rendering.colours import BRIGHTEST, DARKEST
from albedo_pipeline.rendering.engine import build_scene, render_scene
from albedo_pipeline.rendering.random_streams import scene_generator
from albedo_pipeline.rendering.render import render_lights
from albedo_pipeline.rendering.tabletop import draw_tabletop
from albedo_pipeline.rendering.wide import KINDS, PROBABILITIES
from albedo_pipeline.rendering.wide.lights import black_body
from albedo_pipeline.rendering.wide.textures import PATTERNS, draw_wide_texture
from albedo_pipeline.rendering.worlds import draw_scene
from tests.support.renders import SMALL, identical

WIDE = RenderSettings(resolution=16, samples_per_pixel=4, max_depth=3, world="wide")
ROUNDING = 1e-3


@pytest.mark.slow
def test_neither_the_order_nor_the_number_of_processes_changes_a_bit() -> None:
    alone = {scene: render_view(5, scene, 0, WIDE) for scene in (3, 1, 0, 2)}
    for processes in (1, 2):
        for scene, _, _, render in render_all(5, range(4), 1, 0, WIDE, processes):
            assert identical(render, alone[scene])


@pytest.mark.slow
def test_albedo_is_in_range_and_most_pixels_are_valid() -> None:
    shares = []
    for scene in range(24):
        render = render_view(8, scene, 0, WIDE)
        albedo = render.albedo[render.valid]
        # A sample of a pixel may show the back of a triangle, which does not glow.
        assert (albedo < DARKEST - ROUNDING).mean() < 0.005
        assert albedo.max() <= BRIGHTEST + ROUNDING
        assert np.isfinite(render.beauty).all()
        shares.append(render.valid.mean())
    assert np.mean(shares) > 0.7


@pytest.mark.parametrize("kind", KINDS)
def test_a_usable_image_of_every_kind(kind: str) -> None:
    usable = 0
    for scene in range(4):
        rng = scene_generator(1, scene, 0)
        drawn = KINDS[kind](rng)
        built = build_scene(drawn.surfaces | drawn.lights, "wide")
        beauty, _, valid = render_scene(built, drawn.draw_camera(rng), WIDE, 1, 1)
        usable += valid.mean() > 0.25 and np.median(beauty[valid]) > 1e-3
    assert usable >= 2


def test_the_probabilities_of_the_kinds() -> None:
    assert len(PROBABILITIES) == len(KINDS)
    assert sum(PROBABILITIES) == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_triangles_of_a_surface_face_its_outside(kind: str) -> None:
    """The albedo is seen on the fronts of triangles only."""
    for surface in KINDS[kind](scene_generator(2, 0, 0)).surfaces.values():
        mesh = surface["mesh"]
        a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
        normal = mesh.normals[mesh.faces].sum(axis=1)
        assert ((np.cross(b - a, c - a) * normal).sum(axis=1) > 0).all()


def test_under_another_light_a_view_has_the_same_albedo_bit_for_bit() -> None:
    for scene in range(6):
        first, other = render_lights(5, scene, 0, WIDE, lights=2)
        both = first.valid & other.valid
        assert np.array_equal(first.albedo[both], other.albedo[both])
        assert not np.array_equal(first.beauty, other.beauty)


def test_both_ways_to_render_albedo_agree() -> None:
    """A tabletop has the same albedo by Mitsuba's aov integrator and as a glow."""
    drawn = draw_tabletop(scene_generator(5, 0, 0))
    camera = drawn.overview
    descriptions = drawn.surfaces | drawn.lights
    _, albedo, valid = render_scene(build_scene(descriptions), camera, SMALL, 1, 1)
    _, glow, glow_valid = render_scene(build_scene(descriptions, "wide"), camera, WIDE, 1, 1)
    both = valid & glow_valid
    assert both.mean() > 0.9
    np.testing.assert_allclose(albedo[both], glow[both], atol=2e-3)


def test_tabletop_draws_what_it_draws_alone() -> None:
    one = draw_scene(scene_generator(5, 3, 0), "tabletop")
    other = draw_tabletop(scene_generator(5, 3, 0))
    assert list(one.surfaces) == list(other.surfaces)
    assert repr(one.lights) == repr(other.lights)
    # As drawn before there was a second world.
    assert one.overview.field_of_view == 36.0
    assert one.overview.up == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("name", PATTERNS)
def test_every_texture_is_an_albedo(name: str) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        image = draw_wide_texture(rng, rng.uniform(DARKEST, BRIGHTEST, (12, 3)), [name])
        assert image.shape == (256, 256, 3)
        assert image.dtype == np.float32
        assert image.min() >= np.float32(DARKEST)
        assert image.max() <= np.float32(BRIGHTEST)


def test_a_black_body_is_white_at_6500_kelvin_and_red_below() -> None:
    np.testing.assert_allclose(black_body(6500), 1)
    red, _, blue = black_body(2500)
    assert red / blue > 3
    assert black_body(10000)[2] > black_body(10000)[0]


def test_the_setting_names_the_worlds() -> None:
    settings = {"scenes": 1, "views": 1, "resolution": 16}
    assert SynthesizeParams(**settings).world == "tabletop"
    with pytest.raises(ValueError, match="'tabletop' or 'wide'"):
        SynthesizeParams(**settings, world="narrow")
