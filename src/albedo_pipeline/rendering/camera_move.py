"""A camera move: the camera of a scene's first view goes along an arc around what it looks at."""

from collections.abc import Iterator
from contextlib import closing
from functools import lru_cache, partial

import numpy as np

from albedo_pipeline.rendering.cameras import Camera, orbited
from albedo_pipeline.rendering.engine import BuiltScene, RenderSettings, render_scene
from albedo_pipeline.rendering.render import AHEAD, Render, process_pool, scene_and_camera
from albedo_pipeline.runtime.parallel import ordered_map, usable_cores


def render_move(
    seed: int,
    scene: int,
    frames: int,
    degrees: float,
    settings: RenderSettings,
    processes: int | None = None,
) -> Iterator[Render]:
    """Yield the frames in order; each has light paths, and so noise, of its own.

    The first frame is the scene's first view. The arc goes toward the open side of the scene, so
    that no wall comes between.

    Args:
        seed: seed of the scene.
        scene: number of the scene.
        frames: number of frames, 2 or more.
        degrees: length of the arc.
        settings: size and quality of the frames.
        processes: number of processes; None: one for every core that this process may use. The
            frames do not depend on it.

    Raises:
        RuntimeError: if the scene has no usable draw.
    """
    step = np.radians(degrees) / (frames - 1)
    render = partial(_render_frame, seed, scene, settings, step)
    workers = processes or usable_cores()
    with closing(ordered_map(render, range(frames), workers, process_pool, AHEAD)) as rendered:
        yield from rendered


def _render_frame(
    seed: int, scene: int, settings: RenderSettings, step: float, number: int
) -> Render:
    built, start, direction, path_seed = _start(seed, scene, settings)
    camera = orbited(start, direction * step * number)
    frame_seed = (path_seed + number) % 2**32
    return Render(*render_scene(built, camera, settings, frame_seed, frame_seed), redrawn=())


@lru_cache(maxsize=1)  # a process renders many frames of one move
def _start(
    seed: int, scene: int, settings: RenderSettings
) -> tuple[BuiltScene, Camera, float, int]:
    """The scene, its first camera, the direction of the arc (1 or -1), and a seed."""
    drawn, built, camera, path_seed = scene_and_camera(seed, scene, 0, settings)
    here, middle = camera.origin - camera.target, drawn.overview.origin - drawn.overview.target
    direction = 1.0 if here[0] * middle[1] >= here[1] * middle[0] else -1.0
    return built, camera, direction, path_seed
