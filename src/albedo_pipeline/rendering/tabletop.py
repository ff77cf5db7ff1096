"""The world `tabletop`: objects on a floor, perhaps with walls, and lights."""

from dataclasses import replace
from functools import partial

import numpy as np

from albedo_pipeline.rendering.cameras import Stage, draw_camera, overview_camera
from albedo_pipeline.rendering.colours import draw_palette
from albedo_pipeline.rendering.layout import draw_objects
from albedo_pipeline.rendering.lights import draw_lights
from albedo_pipeline.rendering.materials import draw_material, draw_wall_material
from albedo_pipeline.rendering.meshes import Mesh, quad
from albedo_pipeline.rendering.scene import Scene, shape

FLOOR_HALF_WIDTH = 30.0
"""Half the width of the floor, scene units; its edges are outside every image."""

SPREADS = {
    "floor": (np.pi, np.pi),
    "wall": (0.7, 1.3),
    "corner": (0.5, 0.8),
    "room": (0.2, 0.7),
}
"""How far to both sides of the open side (cameras, bright lights) may stand, radians, for each kind
of walls. Light from the side shows shadows best; light from behind a wall would leave the scene
dark and noisy."""


def draw_tabletop(rng: np.random.Generator) -> Scene:
    """A random scene of objects with its lights."""
    palette = draw_palette(rng)
    objects = draw_objects(rng)
    points = np.concatenate([mesh.vertices for mesh in objects])
    low, high = points.min(axis=0), points.max(axis=0)
    centre = (low + high) / 2
    radius = float(np.linalg.norm(points - centre, axis=1).max())
    surfaces = {
        f"object_{index}": shape(mesh, draw_material(rng, palette, rng.choice([1.0, 2.0])))
        for index, mesh in enumerate(objects)
    }
    azimuth = rng.uniform(-np.pi, np.pi)
    wall_kind = str(rng.choice(list(SPREADS), p=[0.35, 0.25, 0.2, 0.2]))
    camera_spread, light_spread = SPREADS[wall_kind]
    for index, mesh in enumerate([_floor(), *_walls(rng, wall_kind, azimuth, centre, radius)]):
        repeats = 1 / rng.uniform(2.0, 6.0)  # per scene unit, see _plane
        surfaces[f"surface_{index}"] = shape(mesh, draw_wall_material(rng, palette, repeats))
    lighting = partial(draw_lights, azimuth=azimuth, spread=light_spread, top=float(high[2]))
    stage = Stage(centre, radius, azimuth, camera_spread)
    return Scene(
        surfaces, lighting(rng), overview_camera(stage), partial(draw_camera, stage=stage), lighting
    )


def _floor() -> Mesh:
    corner = np.array([-FLOOR_HALF_WIDTH, -FLOOR_HALF_WIDTH, 0])
    width = 2 * FLOOR_HALF_WIDTH
    return _plane(corner, np.array([width, 0, 0]), np.array([0, width, 0]))


def _walls(
    rng: np.random.Generator, wall_kind: str, azimuth: float, centre: np.ndarray, radius: float
) -> list[Mesh]:
    """Upright walls around the objects, with none on the open side.

    They are hardly higher or longer than what the images show, to let the light in.
    """
    near, wide = radius * rng.uniform(1.05, 1.6), radius * rng.uniform(1.6, 2.2)
    front = 1.5 * radius
    endless = FLOOR_HALF_WIDTH
    walls = {  # angle from the open side, distance, extent to the left and to the right
        "floor": [],
        "wall": [(np.pi, near, endless, endless)],
        "corner": [(0.75 * np.pi, near, endless, endless), (-0.75 * np.pi, near, endless, endless)],
        "room": [
            (np.pi, near, wide, wide),
            (0.5 * np.pi, wide, near, front),
            (-0.5 * np.pi, wide, front, near),
        ],
    }[wall_kind]
    height = np.array([0, 0, radius * rng.uniform(2.2, 4.0)])
    return [_wall(azimuth + angle, centre, height, *extent) for angle, *extent in walls]


def _wall(
    azimuth: float,
    centre: np.ndarray,
    height: np.ndarray,
    distance: float,
    left: float,
    right: float,
) -> Mesh:
    """A wall in direction `azimuth` that faces `centre` and extends by `left` and `right`."""
    outward = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    side = np.array([np.sin(azimuth), -np.cos(azimuth), 0.0])
    foot = centre * [1, 1, 0] + outward * distance
    return _plane(foot - left * side, (left + right) * side, height)


def _plane(corner: np.ndarray, along: np.ndarray, across: np.ndarray) -> Mesh:
    """A rectangle whose texture coordinates are in scene units."""
    mesh = quad(corner, corner + along, corner + along + across, corner + across)
    size = np.array([np.linalg.norm(along), np.linalg.norm(across)])
    return replace(mesh, texcoords=mesh.texcoords * size)
