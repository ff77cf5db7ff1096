"""Close-ups: one textured object, or a textured surface, under strong shadows."""

from functools import partial

import numpy as np

from albedo_pipeline.rendering.meshes import Mesh
from albedo_pipeline.rendering.scene import Scene, shape
from albedo_pipeline.rendering.shapes import bumpy_sphere, draw_solid
from albedo_pipeline.rendering.wide.cameras import draw_orbit
from albedo_pipeline.rendering.wide.geometry import height_field, placed, smooth_heights
from albedo_pipeline.rendering.wide.lights import draw_studio
from albedo_pipeline.rendering.wide.materials import MaterialSet


def draw_object_close_up(rng: np.random.Generator) -> Scene:
    """One object of about unit radius on a floor that fills most of the image."""
    materials = MaterialSet(rng)
    if rng.random() < 0.3:
        rock = bumpy_sphere(rng, wave_number=rng.uniform(1.0, 4.0))
        mesh, height = placed(rock, [0, 0, 1], scale=0.9), 2.0
    else:
        solid = draw_solid(rng)
        mesh, height = solid.mesh, solid.height
    centre = np.array([0, 0, height / 2])
    draw_camera = partial(
        draw_orbit,
        centre=centre,
        radius=1.0,
        elevations=(0.05, 1.3),
        sizes=(0.45, 1.4),
        lowest=0.15,
    )
    draw = materials.draw_picture if rng.random() < 0.4 else materials.draw
    surfaces = {
        "object": shape(mesh, draw(float(rng.choice([1.0, 2.0, 3.0])))),
        "floor": shape(_uneven_plane(rng, 40.0, 0.0), materials.draw_ground(1.5)),
    }
    lighting = partial(draw_studio, centre=centre, radius=1.6)
    return Scene(surfaces, lighting(rng), draw_camera(rng), draw_camera, lighting)


def draw_surface_close_up(rng: np.random.Generator) -> Scene:
    """A flat or wavy surface that fills the image, with shadows of things outside of it."""
    materials = MaterialSet(rng)
    relief = rng.choice([0.0, rng.uniform(0.01, 0.06)])
    tile = np.exp(rng.uniform(np.log(0.6), np.log(2.5)))
    material = (
        materials.draw_ground(tile) if rng.random() < 0.5 else materials.draw_picture(1 / tile)
    )
    surfaces = {"surface": shape(_uneven_plane(rng, 8.0, relief), material)}
    draw_camera = partial(
        draw_orbit,
        centre=np.zeros(3),
        radius=1.0,
        elevations=(0.4, 1.5),
        sizes=(0.5, 1.5),
        lowest=0.2,
    )
    lighting = partial(draw_studio, centre=np.zeros(3), radius=1.3)
    return Scene(surfaces, lighting(rng), draw_camera(rng), draw_camera, lighting)


def _uneven_plane(rng: np.random.Generator, half_width: float, relief: float) -> Mesh:
    """A square around the origin with bumps of standard deviation `relief`."""
    line = np.linspace(-half_width, half_width, 97 if relief else 2)
    height = relief * smooth_heights(rng, line, line, 1.0) if relief else np.zeros((2, 2))
    return height_field(line, line, height)
