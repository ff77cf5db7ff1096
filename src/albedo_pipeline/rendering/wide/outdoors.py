"""Outdoors: streets, gardens, rocky land and hills under a sun or an overcast sky; metres."""

from functools import partial

import numpy as np

from albedo_pipeline.rendering.cameras import Camera
from albedo_pipeline.rendering.meshes import Mesh, joined, revolve
from albedo_pipeline.rendering.scene import Scene, shape
from albedo_pipeline.rendering.shapes import bumpy_sphere
from albedo_pipeline.rendering.wide.buildings import draw_building
from albedo_pipeline.rendering.wide.cameras import draw_field_of_view, look
from albedo_pipeline.rendering.wide.clutter import scattered
from albedo_pipeline.rendering.wide.geometry import (
    boxes,
    height_field,
    placed,
    random_cards,
    smooth_heights,
)
from albedo_pipeline.rendering.wide.lights import draw_daylight
from albedo_pipeline.rendering.wide.materials import MaterialSet

HALF_WIDTH = 80.0
"""Half the width of the ground."""
COUNTS = {  # of buildings, trees, rocks, heaps of small things, fences
    "street": (8, 4, 1, 3, 2),
    "garden": (2, 10, 3, 2, 3),
    "rocks": (0, 3, 14, 0, 0),
    "yard": (4, 2, 3, 5, 3),
}
"""Largest numbers of things, by kind of place."""

Parts = list[tuple[Mesh, dict]]
"""Meshes of a thing and their materials."""


def draw_outdoors(rng: np.random.Generator) -> Scene:
    """A random place outdoors with its light."""
    materials = MaterialSet(rng)
    place = str(rng.choice(list(COUNTS), p=[0.35, 0.25, 0.2, 0.2]))
    hilly = {"street": 0.0, "garden": 0.4, "rocks": 1.0, "yard": 0.1}[place] * rng.uniform(0, 1.2)
    line = np.sign(t := np.linspace(-1, 1, 65)) * HALF_WIDTH * np.abs(t) ** 1.6
    height = hilly * smooth_heights(rng, line, line, 14.0)
    distance = np.hypot(*np.meshgrid(line, line))
    height += rng.choice([0.0, rng.uniform(0.05, 0.35)]) * np.maximum(distance - 25, 0)
    ground = height_field(line, line, height)
    green = rng.random() < (0.6 if place == "garden" else 0.25)
    tile = np.exp(rng.uniform(np.log(0.8), np.log(6.0)))
    cover = materials.draw_leaves(1 / tile) if green else materials.draw_ground(tile)
    surfaces = {"ground": shape(ground, cover)}
    if place in ("street", "yard"):
        strip = boxes([-HALF_WIDTH, -rng.uniform(1, 4), -1], [HALF_WIDTH, rng.uniform(1, 4), 0.03])
        surfaces["road"] = shape(strip, materials.draw_ground(3.0))
    targets: list[np.ndarray] = []
    occupied: list[np.ndarray] = []
    drawers = (_building, _tree, _rock, _heap, _fence)
    for drawer, most in zip(drawers, COUNTS[place], strict=True):
        for _ in range(rng.integers((most + 1) // 2, most + 1)):
            parts, radius = drawer(rng, materials)
            reach = 18.0 if drawer is _building else 9.0
            spot = _free_spot(rng, radius, reach, occupied)
            base = [*spot, _height_at(ground, spot)]
            for mesh, material in parts:
                turned = placed(mesh, base)
                surfaces[f"surface_{len(surfaces)}"] = shape(turned, material)
            if drawer is not _fence and drawer is not _heap:
                occupied.append(np.array([*spot, radius]))
            top = max(mesh.vertices[:, 2].max() for mesh, _ in parts)
            targets.append(np.array([*spot, base[2] + 0.4 * top]))
    draw_camera = partial(
        _draw_camera, ground=ground, targets=np.array(targets), occupied=np.array(occupied)
    )
    lighting = partial(draw_daylight, centre=np.zeros(3), radius=14.0)
    return Scene(surfaces, lighting(rng), draw_camera(rng), draw_camera, lighting)


def _building(rng: np.random.Generator, materials: MaterialSet) -> tuple[Parts, float]:
    (walls, panes, frames, roof), radius = draw_building(rng)
    turn = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)], p=[0.4, 0.3, 0.3])
    looks = [materials.draw_ground(3.0), materials.draw_plain(), materials.draw_plain()]
    looks.append(materials.draw_ground(2.0) if rng.random() < 0.6 else materials.draw_plain())
    meshes = [placed(mesh, np.zeros(3), turn) for mesh in (walls, panes, frames, roof)]
    return list(zip(meshes, looks, strict=True)), radius


def _tree(rng: np.random.Generator, materials: MaterialSet) -> tuple[Parts, float]:
    """A trunk with a crown of blobs, of leaves, or of cones; a bush has no trunk to speak of."""
    size = np.exp(rng.uniform(np.log(0.6), np.log(3.0)))
    stem = rng.uniform(0.0, 1.6) * size
    trunk = revolve([(0, -1), (0.1 * size, -1), (0.06 * size, stem + 0.5 * size)], 9)
    kind = rng.choice(["blobs", "leaves", "cones"], p=[0.4, 0.4, 0.2])
    crown: Mesh
    if kind == "cones":
        layers = int(rng.integers(1, 5))
        crown = joined(
            [
                revolve([(0, z), ((1 - i / layers / 1.3) * size * 0.8, z), (0, z + 1.5 * size)], 15)
                for i, z in enumerate(stem + size * 0.7 * np.arange(layers))
            ]
        )
    elif kind == "blobs":
        count = int(rng.integers(1, 10))
        offsets = rng.normal(0, 0.45, (count, 3)) * size + [0, 0, stem + 0.6 * size]
        crown = joined(
            [
                placed(bumpy_sphere(rng, 13, 19, 3.0), o, scale=size * rng.uniform(0.3, 0.75))
                for o in offsets
            ]
        )
    else:
        count = int(rng.integers(150, 500))
        direction = rng.normal(size=(count, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        position = (
            direction * size * rng.uniform(0.5, 1.1, (count, 1)) * [1, 1, rng.uniform(0.6, 1.5)]
        )
        leaf = np.full(count, size * rng.uniform(0.06, 0.16))
        crown = random_cards(rng, np.add(position, [0, 0, stem + 0.7 * size]), leaf)
    return [(trunk, materials.draw_plain()), (crown, materials.draw_leaves(2.0))], 0.7 * size


def _rock(rng: np.random.Generator, materials: MaterialSet) -> tuple[Parts, float]:
    size = np.exp(rng.uniform(np.log(0.2), np.log(2.5)))
    rock = bumpy_sphere(rng, 25, 33, rng.uniform(1.5, 4.0))
    rock = rock.transformed(np.diag(rng.uniform(0.6, 1.3, 3)), np.zeros(3))
    sunk = placed(rock, [0, 0, 0.3 * size], rng.uniform(0, 6), size)
    return [(sunk, materials.draw_ground(0.8))], float(size)


def _heap(rng: np.random.Generator, materials: MaterialSet) -> tuple[Parts, float]:
    """Barrels, balls, cartons and the like."""
    size = rng.uniform(0.15, 0.7)
    meshes = scattered(rng, int(rng.integers(2, 9)), 3 * size, size)
    return [(mesh, materials.draw()) for mesh in meshes], 2 * size


def _fence(rng: np.random.Generator, materials: MaterialSet) -> tuple[Parts, float]:
    """Posts with or without rails, or a low wall; at times tall like lamp posts."""
    count = int(rng.integers(2, 25))
    gap, width = rng.uniform(0.15, 2.0), rng.uniform(0.03, 0.15)
    height = rng.uniform(0.5, 3.5)
    x = gap * (np.arange(count) - count / 2)[:, None]
    posts = boxes(x * [1, 0, 0] + [-width, -width, -1], x * [1, 0, 0] + [width, width, height])
    parts = [posts]
    if rng.random() < 0.6:
        half = gap * count / 2
        for z in height * rng.uniform(0.2, 0.9, 2):
            parts.append(boxes([-half, -0.03, z], [half, 0.03, z + rng.uniform(0.05, 0.5)]))
    fence = placed(joined(parts), np.zeros(3), rng.uniform(0, np.pi))
    return [(fence, materials.draw())], 0.5


def _free_spot(
    rng: np.random.Generator, radius: float, reach: float, occupied: list[np.ndarray]
) -> np.ndarray:
    """A place on the ground away from what stands there, farther out if need be."""
    while True:
        angle, distance = rng.uniform(0, 2 * np.pi), reach * np.sqrt(rng.random())
        spot = distance * np.array([np.cos(angle), np.sin(angle)])
        if all(np.linalg.norm(spot - o[:2]) > 0.8 * (radius + o[2]) for o in occupied):
            return spot
        reach *= 1.05


def _height_at(ground: Mesh, spot: np.ndarray) -> float:
    nearest = np.linalg.norm(ground.vertices[:, :2] - spot, axis=1).argmin()
    return float(ground.vertices[nearest, 2])


def _draw_camera(
    rng: np.random.Generator, ground: Mesh, targets: np.ndarray, occupied: np.ndarray
) -> Camera:
    """A camera outside of all things, mostly at eye level, that looks at one of them."""
    target = targets[rng.integers(len(targets))] + rng.normal(0, 0.5, 3)
    reach = np.exp(rng.uniform(np.log(2.0), np.log(16.0)))
    while True:
        angle = rng.uniform(0, 2 * np.pi)
        spot = target[:2] + reach * np.array([np.cos(angle), np.sin(angle)])
        apart = np.linalg.norm(occupied[:, :2] - spot, axis=1) > occupied[:, 2] + 0.5
        if apart.all():
            break
        reach *= 1.05
    high = rng.random() < 0.3
    height = rng.uniform(2.5, 15.0) if high else rng.uniform(0.4, 2.2)
    origin = np.array([*spot, _height_at(ground, spot) + height])
    target[2] = max(target[2] - 0.1 * reach * rng.random(), 0.0)
    return look(rng, origin, target, draw_field_of_view(rng))
