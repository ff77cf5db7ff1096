"""A scene: objects on a floor, perhaps walls, and lights; descriptions only, no Mitsuba."""

from dataclasses import dataclass

import numpy as np

from albedo_pipeline.rendering.colours import draw_palette
from albedo_pipeline.rendering.layout import draw_objects
from albedo_pipeline.rendering.lights import draw_lights
from albedo_pipeline.rendering.materials import draw_material, draw_wall_material
from albedo_pipeline.rendering.meshes import Mesh, quad

FAR = 30.0
"""Half the width of the floor, scene units: beyond every picture's edge."""

LIT_FROM = 1.3
"""How far to both sides of the open side lights may stand at least, radians: shadows show best in
light from the side."""


@dataclass(frozen=True)
class Scene:
    """Everything that the views of a scene share."""

    parts: dict
    """Mitsuba descriptions by name; arrays and meshes stand where Mitsuba wants its own objects."""
    focus: np.ndarray
    """Centre [3] of the sphere that encloses the objects."""
    radius: float
    """Of that sphere, scene units."""
    azimuth: float
    """Direction of the open side, radians from +x."""
    spread: float
    """How far to both sides of it cameras may stand, radians."""


def draw_scene(rng: np.random.Generator) -> Scene:
    """A random scene."""
    palette = draw_palette(rng)
    objects = draw_objects(rng)
    points = np.concatenate([mesh.vertices for mesh in objects])
    low, high = points.min(axis=0), points.max(axis=0)
    focus = (low + high) / 2
    radius = float(np.linalg.norm(points - focus, axis=1).max())
    parts = {
        f"object_{index}": _shape(mesh, draw_material(rng, palette, rng.choice([1.0, 2.0])))
        for index, mesh in enumerate(objects)
    }
    azimuth = rng.uniform(-np.pi, np.pi)
    kind = str(rng.choice(["floor", "wall", "corner", "room"], p=[0.35, 0.25, 0.2, 0.2]))
    surfaces = [_floor(), *_walls(rng, kind, azimuth, focus, radius)]
    for index, mesh in enumerate(surfaces):
        repeats = 2 * FAR / rng.uniform(2.0, 6.0)
        parts[f"surface_{index}"] = _shape(mesh, draw_wall_material(rng, palette, repeats))
    spread = {"floor": np.pi, "wall": 0.7, "corner": 0.5, "room": 0.2}[kind]
    parts |= draw_lights(rng, azimuth, max(spread, LIT_FROM), float(high[2]))
    return Scene(parts, focus, radius, azimuth, spread)


def _shape(mesh: Mesh, material: dict) -> dict:
    return {"type": "mesh", "mesh": mesh, "bsdf": material}


def _floor() -> Mesh:
    return quad([-FAR, -FAR, 0], [FAR, -FAR, 0], [FAR, FAR, 0], [-FAR, FAR, 0])


def _walls(
    rng: np.random.Generator, kind: str, azimuth: float, focus: np.ndarray, radius: float
) -> list[Mesh]:
    """Upright walls round the objects; the open side has none."""
    near, wide = radius * rng.uniform(1.05, 1.6), radius * rng.uniform(1.6, 2.2)
    walls = {
        "floor": [],
        "wall": [(np.pi, near)],
        "corner": [(0.75 * np.pi, near), (-0.75 * np.pi, near)],
        "room": [(np.pi, near), (0.5 * np.pi, wide), (-0.5 * np.pi, wide)],
    }[kind]
    return [_wall(azimuth + angle, focus, distance) for angle, distance in walls]


def _wall(azimuth: float, focus: np.ndarray, distance: float) -> Mesh:
    """A wall that faces `focus` from direction `azimuth`, reaching FAR to both sides and up."""
    outward = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    side = np.array([np.sin(azimuth), -np.cos(azimuth), 0.0]) * FAR
    foot = focus * [1, 1, 0] + outward * distance
    height = np.array([0, 0, 2 * FAR])
    return quad(foot - side, foot + side, foot + side + height, foot - side + height)
