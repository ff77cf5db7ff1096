"""A scene: objects on a floor, perhaps walls, and lights; descriptions only, no Mitsuba."""

from dataclasses import dataclass, replace

import numpy as np

from albedo_pipeline.rendering.colours import draw_palette
from albedo_pipeline.rendering.layout import draw_objects
from albedo_pipeline.rendering.lights import draw_lights
from albedo_pipeline.rendering.materials import draw_material, draw_wall_material
from albedo_pipeline.rendering.meshes import Mesh, quad

FAR = 30.0
"""Half the width of the floor, scene units: beyond every picture's edge."""

OPENING = {
    "floor": (np.pi, np.pi),
    "wall": (0.7, 1.3),
    "corner": (0.5, 0.8),
    "room": (0.2, 0.7),
}
"""How far to both sides of the open side cameras and lights may stand, radians. Light from the side
shows shadows best; from behind a wall it would leave the scene dark and grainy."""


@dataclass(frozen=True)
class Scene:
    """Everything that the views of a scene share."""

    surfaces: dict
    """Mitsuba descriptions by name; arrays and meshes stand where Mitsuba wants its own objects."""
    lights: dict
    """The same of the lights."""
    focus: np.ndarray
    """Centre [3] of the sphere that encloses the objects."""
    radius: float
    """Of that sphere, scene units."""
    azimuth: float
    """Direction of the open side, radians from +x."""
    spread: float
    """How far to both sides of it cameras may stand, radians."""
    lit_from: float
    """The same of bright lights."""
    top: float
    """Height of the highest object."""


def draw_scene(rng: np.random.Generator) -> Scene:
    """A random scene, under lights of its own."""
    palette = draw_palette(rng)
    objects = draw_objects(rng)
    points = np.concatenate([mesh.vertices for mesh in objects])
    low, high = points.min(axis=0), points.max(axis=0)
    focus = (low + high) / 2
    radius = float(np.linalg.norm(points - focus, axis=1).max())
    drawn = {
        f"object_{index}": _shape(mesh, draw_material(rng, palette, rng.choice([1.0, 2.0])))
        for index, mesh in enumerate(objects)
    }
    azimuth = rng.uniform(-np.pi, np.pi)
    kind = str(rng.choice(list(OPENING), p=[0.35, 0.25, 0.2, 0.2]))
    spread, lit_from = OPENING[kind]
    for index, mesh in enumerate([_floor(), *_walls(rng, kind, azimuth, focus, radius)]):
        repeats = 1 / rng.uniform(2.0, 6.0)  # for each scene unit, see _plane
        drawn[f"surface_{index}"] = _shape(mesh, draw_wall_material(rng, palette, repeats))
    top = float(high[2])
    lights = draw_lights(rng, azimuth, lit_from, top)
    return Scene(drawn, lights, focus, radius, azimuth, spread, lit_from, top)


def relit(rng: np.random.Generator, scene: Scene) -> Scene:
    """The same surfaces under other lights."""
    return replace(scene, lights=draw_lights(rng, scene.azimuth, scene.lit_from, scene.top))


def _shape(mesh: Mesh, material: dict) -> dict:
    return {"type": "mesh", "mesh": mesh, "bsdf": material}


def _floor() -> Mesh:
    return _plane(np.array([-FAR, -FAR, 0]), np.array([2 * FAR, 0, 0]), np.array([0, 2 * FAR, 0]))


def _walls(
    rng: np.random.Generator, kind: str, azimuth: float, focus: np.ndarray, radius: float
) -> list[Mesh]:
    """Upright walls round the objects; the open side has none.

    They are as high and as long as the pictures show and hardly more, to let the light in.
    """
    near, wide = radius * rng.uniform(1.05, 1.6), radius * rng.uniform(1.6, 2.2)
    front = 1.5 * radius
    walls = {  # angle from the open side, distance, reach to both sides
        "floor": [],
        "wall": [(np.pi, near, FAR, FAR)],
        "corner": [(0.75 * np.pi, near, FAR, FAR), (-0.75 * np.pi, near, FAR, FAR)],
        "room": [
            (np.pi, near, wide, wide),
            (0.5 * np.pi, wide, near, front),
            (-0.5 * np.pi, wide, front, near),
        ],
    }[kind]
    height = np.array([0, 0, radius * rng.uniform(2.2, 4.0)])
    return [_wall(azimuth + angle, focus, height, *place) for angle, *place in walls]


def _wall(
    azimuth: float,
    focus: np.ndarray,
    height: np.ndarray,
    distance: float,
    left: float,
    right: float,
) -> Mesh:
    """A wall that faces `focus` from direction `azimuth`, seen reaching `left` and `right`."""
    outward = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    side = np.array([np.sin(azimuth), -np.cos(azimuth), 0.0])
    foot = focus * [1, 1, 0] + outward * distance
    return _plane(foot - left * side, (left + right) * side, height)


def _plane(corner: np.ndarray, along: np.ndarray, across: np.ndarray) -> Mesh:
    """A rectangle whose texture coordinates count scene units."""
    mesh = quad(corner, corner + along, corner + along + across, corner + across)
    size = np.array([np.linalg.norm(along), np.linalg.norm(across)])
    return replace(mesh, texcoords=mesh.texcoords * size)
