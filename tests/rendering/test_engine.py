"""Mitsuba's albedo and valid mask of known scenes."""

import numpy as np
import pytest

from albedo_pipeline.rendering import RenderSettings
from albedo_pipeline.rendering.cameras import Camera
from albedo_pipeline.rendering.engine import build_scene, render_scene
from albedo_pipeline.rendering.materials import KINDS, material, plain
from albedo_pipeline.rendering.meshes import quad
from tests.support.renders import SMALL, WHITE_SKY

ABOVE = Camera(origin=np.array([0.0, 0.01, 4.0]), target=np.zeros(3))
COLOUR = np.array([0.62, 0.21, 0.07])


def floor(half_width: float, surface: dict) -> dict:
    h = half_width
    corners = ([-h, -h, 0], [h, -h, 0], [h, h, 0], [-h, h, 0])
    return {"type": "mesh", "mesh": quad(*corners), **surface}


def rendered(descriptions: dict, settings: RenderSettings) -> tuple[np.ndarray, ...]:
    return render_scene(build_scene(descriptions), ABOVE, settings, seed=1, surface_seed=1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_albedo_is_the_reflectance_of_the_material(kind: str) -> None:
    surface = material(np.random.default_rng(0), kind, plain(COLOUR))
    _, albedo, valid = rendered({"floor": floor(10, {"bsdf": surface}), "sky": WHITE_SKY}, SMALL)
    assert valid.all()
    np.testing.assert_allclose(albedo, np.broadcast_to(COLOUR, albedo.shape), atol=1e-3)


def test_a_matt_floor_under_a_uniform_sky_has_its_albedo_as_beauty() -> None:
    """A sky of radiance 1 gives irradiance pi; a Lambertian surface reflects it as albedo * 1."""
    surface = material(np.random.default_rng(0), "diffuse", plain(COLOUR))
    descriptions = {"floor": floor(10, {"bsdf": surface}), "sky": WHITE_SKY}
    beauty, _, _ = rendered(descriptions, RenderSettings(8, 256, 3))
    np.testing.assert_allclose(beauty.mean(axis=(0, 1)), COLOUR, rtol=0.01)


def test_background_and_its_border_are_not_valid() -> None:
    surface = material(np.random.default_rng(0), "diffuse", plain(COLOUR))
    descriptions = {"floor": floor(0.8, {"bsdf": surface}), "sky": WHITE_SKY}
    _, albedo, valid = rendered(descriptions, RenderSettings(32, 16, 3))
    assert valid[16, 16]
    assert not valid[0].any()
    # Pixels on the border are part background: none of them may be valid with a mixed albedo.
    np.testing.assert_allclose(
        albedo[valid], np.broadcast_to(COLOUR, albedo[valid].shape), atol=1e-3
    )


def test_lights_are_not_valid() -> None:
    lamp = {"emitter": {"type": "area", "radiance": {"type": "rgb", "value": [5.0, 5.0, 5.0]}}}
    _, _, valid = rendered({"lamp": floor(10, lamp)}, SMALL)
    assert not valid.any()
