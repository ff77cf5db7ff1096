"""Many small objects on a floor or a table, perhaps before walls."""

from functools import partial

import numpy as np

from albedo_pipeline.rendering.meshes import Mesh, joined, rotation
from albedo_pipeline.rendering.scene import Scene, shape
from albedo_pipeline.rendering.shapes import bumpy_sphere, draw_solid
from albedo_pipeline.rendering.wide.cameras import draw_orbit
from albedo_pipeline.rendering.wide.geometry import boxes, height_field, placed
from albedo_pipeline.rendering.wide.lights import draw_studio
from albedo_pipeline.rendering.wide.materials import MaterialSet

PROTOTYPES = 7
"""Different objects of a scene; the others are copies, scaled and turned."""


def draw_clutter(rng: np.random.Generator) -> Scene:
    """10 to 70 objects within a circle of radius 1 to 2, in up to 14 materials."""
    materials = MaterialSet(rng)
    extent = rng.uniform(1.0, 2.0)
    count = int(np.exp(rng.uniform(np.log(10), np.log(70))))
    parts = scattered(rng, count, extent, 0.9 * extent / np.sqrt(count))
    surfaces = {
        f"objects_{index}": shape(mesh, materials.draw(rng.choice([1.0, 2.0])))
        for index, mesh in enumerate(parts)
    }
    half = 40.0
    line = np.array([-half, half])
    surfaces["floor"] = shape(
        height_field(line, line, np.zeros((2, 2))), materials.draw_ground(2.0)
    )
    elevations = (0.1, 1.45)
    for wall in range(rng.choice([0, 1, 2], p=[0.6, 0.25, 0.15])):
        across = extent * rng.uniform(1.2, 2.0)
        height = extent * rng.uniform(0.5, 3.0)
        box = boxes([across, -3 * extent, 0], [across + 0.1, 3 * extent, height])
        turned = placed(box, np.zeros(3), turn=wall * np.pi / 2)
        surfaces[f"wall_{wall}"] = shape(turned, materials.draw_ground(2.0))
    centre = np.array([0, 0, 0.1 * extent])
    draw_camera = partial(
        draw_orbit,
        centre=centre,
        radius=extent,
        elevations=elevations,
        sizes=(0.8, 4.0),
        lowest=0.1,
    )
    lighting = partial(draw_studio, centre=centre, radius=1.4 * extent)
    return Scene(surfaces, lighting(rng), draw_camera(rng), draw_camera, lighting)


def scattered(
    rng: np.random.Generator, count: int, extent: float, size: float, height: float = 0.0
) -> list[Mesh]:
    """`count` objects of radius about `size` within `extent` of the z axis, grouped by material."""
    prototypes = [
        bumpy_sphere(rng, 17, 25, 2.5) if rng.random() < 0.15 else draw_solid(rng).mesh
        for _ in range(min(PROTOTYPES, count))
    ]
    groups: dict[int, list[Mesh]] = {}
    for index in range(count):
        mesh = prototypes[index % len(prototypes)]
        if rng.random() < 0.25:
            mesh = mesh.transformed(rotation(0, rng.uniform(0, 2 * np.pi)), np.zeros(3))
        mesh = mesh.transformed(np.diag(rng.uniform(0.6, 1.4, 3)), np.zeros(3))
        angle, distance = rng.uniform(0, 2 * np.pi), extent * np.sqrt(rng.random())
        scale = size * np.exp(rng.uniform(-0.8, 0.6))
        # An object stands on the ground, at times higher as if on others.
        lift = height + (rng.uniform(0, 2.5) * size if rng.random() < 0.15 else 0.0)
        lift -= scale * mesh.vertices[:, 2].min()
        position = [distance * np.cos(angle), distance * np.sin(angle), lift]
        copy = placed(mesh, position, rng.uniform(0, 2 * np.pi), scale)
        groups.setdefault(index % (2 * PROTOTYPES), []).append(copy)
    return [joined(group) for group in groups.values()]
