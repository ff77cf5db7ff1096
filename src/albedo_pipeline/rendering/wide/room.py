"""Rooms: floor, walls with windows, ceiling, and furniture, seen from inside; metres."""

from functools import partial

import numpy as np

from albedo_pipeline.rendering.cameras import Camera
from albedo_pipeline.rendering.meshes import Mesh, joined, quad
from albedo_pipeline.rendering.scene import Scene, shape
from albedo_pipeline.rendering.wide.cameras import draw_field_of_view, look
from albedo_pipeline.rendering.wide.furniture import AT_WALLS, PIECES
from albedo_pipeline.rendering.wide.geometry import boxes, placed
from albedo_pipeline.rendering.wide.materials import MaterialSet
from albedo_pipeline.rendering.wide.room_lights import RoomWindow, draw_room_lights

THICKNESS = 0.2
"""Thickness of the walls."""
CLEARANCE = 0.25
"""Smallest distance of a camera from walls and from the boxes around furniture."""


def draw_room(rng: np.random.Generator) -> Scene:
    """A furnished room with its lights."""
    materials = MaterialSet(rng)
    size = np.array([rng.uniform(2.6, 7.0), rng.uniform(2.6, 7.0), rng.uniform(2.2, 3.4)])
    surfaces = {
        "floor": shape(_slab(size, -THICKNESS, 0.0), materials.draw_ground(1.5)),
        "ceiling": shape(_slab(size, size[2], size[2] + THICKNESS), _wall_paint(rng, materials)),
    }
    windows: list[RoomWindow] = []
    paint = _wall_paint(rng, materials)
    bright = rng.random(4) < 0.35
    for side in range(4):
        wall, frame, window = _draw_wall(rng, size, side, bool(bright[side]))
        own = rng.random() < 0.25
        surfaces[f"wall_{side}"] = shape(wall, _wall_paint(rng, materials) if own else paint)
        if window:
            surfaces[f"frame_{side}"] = shape(frame, materials.draw_plain())
            windows.append(window)
    furniture, occupied = _furnish(rng, size)
    for index, mesh in enumerate([*furniture, *_rugs(rng, size)]):
        surfaces[f"furniture_{index}"] = shape(mesh, materials.draw(1.0))
    for index, mesh in enumerate(_pictures(rng, size)):
        surfaces[f"picture_{index}"] = shape(mesh, materials.draw_picture())
    draw_camera = partial(_draw_camera, size=size, occupied=occupied)
    lighting = partial(draw_room_lights, size=size, windows=windows)
    return Scene(surfaces, lighting(rng), draw_camera(rng), draw_camera, lighting)


def _slab(size: np.ndarray, low: float, high: float) -> Mesh:
    x, y = size[:2] / 2 + THICKNESS
    return boxes([-x, -y, low], [x, y, high])


def _wall_paint(rng: np.random.Generator, materials: MaterialSet) -> dict:
    return materials.draw_plain() if rng.random() < 0.55 else materials.draw_ground(1.5)


def _wall_position(size: np.ndarray, side: int) -> tuple[float, np.ndarray, float]:
    """Length of a wall, the point on the floor at its middle, and the turn of +y to its outside."""
    length, distance = (size[0], size[1]) if side % 2 == 0 else (size[1], size[0])
    turn = side * np.pi / 2
    outward = np.array([-np.sin(turn), np.cos(turn), 0.0])
    return float(length), outward * distance / 2, turn


def _draw_wall(
    rng: np.random.Generator, size: np.ndarray, side: int, has_window: bool
) -> tuple[Mesh, Mesh, RoomWindow | None]:
    """A wall, the frame and blinds of its window, and the window."""
    length, foot, turn = _wall_position(size, side)
    half, top = length / 2 + THICKNESS, size[2]
    if not has_window:
        wall = placed(boxes([-half, 0, 0], [half, THICKNESS, top]), foot, turn)
        return wall, wall, None
    width = rng.uniform(0.5, min(2.4, 0.8 * length))
    middle = rng.uniform(-1, 1) * (length - width) * 0.4
    left, right = middle - width / 2, middle + width / 2
    low = rng.choice([0.05, rng.uniform(0.6, 1.1)])
    high = rng.uniform(max(low + 0.6, 1.6), top - 0.1)
    wall = boxes(
        [[-half, 0, 0], [right, 0, 0], [left, 0, 0], [left, 0, high]],
        [
            [left, THICKNESS, top],
            [half, THICKNESS, top],
            [right, THICKNESS, low],
            [right, THICKNESS, top],
        ],
    )
    bar = rng.uniform(0.02, 0.06)
    x = np.linspace(left, right, int(rng.integers(2, 5)))[:, None]
    z = np.linspace(low, high, int(rng.integers(2, 5)))[:, None]
    upright = boxes(x * [1, 0, 0] + [-bar, 0.05, low], x * [1, 0, 0] + [bar, 0.11, high])
    level = boxes(z * [0, 0, 1] + [left, 0.05, -bar], z * [0, 0, 1] + [right, 0.11, bar])
    frame = [upright, level]
    if rng.random() < 0.3:  # blinds
        slats = np.arange(low, high, rng.uniform(0.05, 0.12))[:, None]
        thickness = rng.uniform(0.015, 0.04)
        frame.append(
            boxes(slats * [0, 0, 1] + [left, 0.0, 0], slats * [0, 0, 1] + [right, 0.03, thickness])
        )
    corners = np.array([[left, 0, low], [right, 0, low], [right, 0, high], [left, 0, high]])
    outside = placed(quad(*np.add(corners, [0, 0.5, 0])), foot, turn).vertices
    window = RoomWindow(outside, foot / np.linalg.norm(foot))
    return placed(wall, foot, turn), placed(joined(frame), foot, turn), window


def _furnish(rng: np.random.Generator, size: np.ndarray) -> tuple[list[Mesh], np.ndarray]:
    """Parts of the furniture, and the boxes [N, 2, 3] around its pieces."""
    meshes: list[Mesh] = []
    occupied: list[np.ndarray] = []
    for _ in range(int(size[0] * size[1] * rng.uniform(0.25, 0.6)) + 2):
        name = list(PIECES)[rng.integers(len(PIECES))]
        parts, (width, depth) = PIECES[name](rng)
        if name in AT_WALLS:
            length, foot, turn = _wall_position(size, int(rng.integers(4)))
            inward = -foot / np.linalg.norm(foot)
            along = np.array([np.cos(turn), np.sin(turn), 0.0])
            free = max(length - width, 0.0) / 2
            position = foot + inward * (depth / 2 + 0.02) + along * free * rng.uniform(-1, 1)
        else:
            turn = rng.integers(4) * np.pi / 2 + rng.choice([0.0, rng.normal(0, 0.3)])
            margin = np.maximum(size[:2] / 2 - max(width, depth) / 2, 0.1)
            position = np.array([*(rng.uniform(-1, 1, 2) * margin), 0.0])
        piece = [placed(part, position, turn) for part in parts]
        points = np.concatenate([part.vertices for part in piece])
        box = np.stack([points.min(axis=0), points.max(axis=0)])
        apart = [(box[0, :2] > o[1, :2]).any() or (box[1, :2] < o[0, :2]).any() for o in occupied]
        if all(apart):
            meshes += piece
            occupied.append(box)
    return meshes, np.array(occupied)


def _rugs(rng: np.random.Generator, size: np.ndarray) -> list[Mesh]:
    if rng.random() < 0.5:
        return []
    half = size[:2] * rng.uniform(0.15, 0.4, 2)
    rug = boxes([-half[0], -half[1], 0], [half[0], half[1], 0.012])
    return [placed(rug, np.zeros(3), rng.choice([0.0, rng.uniform(0, np.pi)]))]


def _pictures(rng: np.random.Generator, size: np.ndarray) -> list[Mesh]:
    pictures = []
    for _ in range(rng.integers(0, 4)):
        length, foot, turn = _wall_position(size, int(rng.integers(4)))
        w, h = rng.uniform(0.2, 0.7, 2)
        x = rng.uniform(-0.4, 0.4) * length
        z = rng.uniform(1.0, max(1.1, size[2] - 0.4 - 2 * h))
        picture = boxes([x - w, -0.03, z], [x + w, -0.003, z + 2 * h])
        pictures.append(placed(picture, foot, turn))
    return pictures


def _draw_camera(rng: np.random.Generator, size: np.ndarray, occupied: np.ndarray) -> Camera:
    """A camera in the free space of the room that looks at a piece of furniture or across."""
    reach = size / 2 - CLEARANCE
    while True:
        origin = rng.uniform(-1, 1, 3) * reach + [0, 0, size[2] / 2]
        near = (origin > occupied[:, 0] - CLEARANCE) & (origin < occupied[:, 1] + CLEARANCE)
        if not near.all(axis=1).any():
            break
        reach = np.minimum(reach * 1.01, size / 2 - 0.05)  # ends, even in a very full room
    if rng.random() < 0.7:
        low, high = occupied[rng.integers(len(occupied))]
        target = rng.uniform(low, high)
    else:
        target = rng.uniform(-1, 1, 3) * size / 2 * 0.8 + [0, 0, size[2] / 2]
    if np.linalg.norm(target - origin) < 0.3:
        target = np.array([0.0, 0.0, size[2] / 2]) + 0.01
    return look(rng, origin, target, max(draw_field_of_view(rng), 30.0))
