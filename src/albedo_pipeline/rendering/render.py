"""One image as a pure function of (seed, scene, view, light, settings), or many on all cores."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TypeVar

import numpy as np

from albedo_pipeline.rendering.cameras import Camera
from albedo_pipeline.rendering.engine import BuiltScene, RenderSettings, build_scene, render_scene
from albedo_pipeline.rendering.random_streams import (
    light_generator,
    scene_generator,
    view_generator,
)
from albedo_pipeline.rendering.scene import Scene, World, relight
from albedo_pipeline.rendering.worlds import draw_scene
from albedo_pipeline.runtime.parallel import ordered_map, usable_cores

MAX_ATTEMPTS = 16
"""Draws of a scene, of a view's camera, and of a light, before the render fails."""
MIN_BRIGHTNESS = 1e-3
"""Median beauty of the valid pixels below which an image is black; a lit one has about 0.1."""
MIN_VALID_SHARE = 0.25
"""Share of valid pixels below which an image is empty."""
OVERVIEW_SETTINGS = RenderSettings(resolution=16, samples_per_pixel=4, max_depth=3)
"""Settings of the overview that decides whether a scene is used, whatever the settings of its
views."""

AHEAD = 3
"""Views in progress or waiting per process: enough to keep it busy, few enough for the memory."""

T = TypeVar("T")


@dataclass(frozen=True)
class Render:
    """One pair: beauty, albedo and valid mask, with H = W = the settings' resolution."""

    beauty: np.ndarray
    """Linear Rec.709 radiance, float32 [H, W, 3], 0 and up."""
    albedo: np.ndarray
    """Linear Rec.709 diffuse reflectance, float32 [H, W, 3]; in [0, 1] if `valid`."""
    valid: np.ndarray
    """Pixels that surfaces cover completely, bool [H, W]; no background, no light source."""
    redrawn: tuple[str, ...]
    """Reasons for which earlier draws were rejected, oldest first: "nan", "black", "empty"."""


def render_all(
    seed: int,
    scenes: range,
    views: int,
    relit: int,
    settings: RenderSettings,
    processes: int | None = None,
) -> Iterator[tuple[int, int, int, Render]]:
    """Yield (scene, view, light, Render) of every view of every scene, in that order.

    Closing the generator early ends the processes.

    Args:
        seed: what all images are drawn from.
        scenes: numbers of the scenes.
        views: number of views of each scene.
        relit: number of further lights that the first view of each scene is shown under.
        settings: size and quality of the images.
        processes: number of processes; None: one for every core that this process may use. The
            images do not depend on it.

    Raises:
        RuntimeError: if a view has no usable draw.
        concurrent.futures.process.BrokenProcessPool: if a process was killed.
    """
    places = ((scene, view) for scene in scenes for view in range(views))
    workers = processes or usable_cores()
    render = partial(_render_place, seed, relit, settings)
    with closing(ordered_map(render, places, workers, process_pool, AHEAD)) as rendered:
        for scene, view, renders in rendered:
            for light, image in enumerate(renders):
                yield scene, view, light, image


def _render_place(
    seed: int, relit: int, settings: RenderSettings, place: tuple[int, int]
) -> tuple[int, int, list[Render]]:
    scene, view = place
    lights = 1 if view else 1 + relit
    return scene, view, render_lights(seed, scene, view, settings, lights)


def process_pool(workers: int) -> ProcessPoolExecutor:
    """Processes that render."""
    # Spawned, because Mitsuba's threads do not survive a fork.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start_process)


def _start_process() -> None:
    """Use one thread a process, and leave Ctrl-C to the parent, which ends the processes."""
    import drjit

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    drjit.set_thread_count(1)


def render_view(seed: int, scene: int, view: int, settings: RenderSettings) -> Render:
    """Render `view` of `scene` under the scene's own lights; the first image of `render_lights`."""
    return render_lights(seed, scene, view, settings, lights=1)[0]


def render_lights(
    seed: int, scene: int, view: int, settings: RenderSettings, lights: int
) -> list[Render]:
    """Render `view` of `scene` under the scene's own lights, then under `lights - 1` other ones.

    An image has the same bits in any process and any order, and for any number of other lights.
    Of one view, all images have the same albedo, bit for bit, in pixels that are valid in both.

    Unusable draws are repeated in three stages, so that all views of a scene show the same scene:

    1. The scene is the first draw whose overview, a small render from a fixed camera, is usable.
       It depends on the world, but on no other setting and not on the view.
    2. The camera of the view is the first draw whose image is usable.
    3. Each other light is the first draw whose image is usable.

    `redrawn` of an image holds the reasons from all stages that it went through.

    Raises:
        RuntimeError: if none of MAX_ATTEMPTS draws is usable.
    """
    (drawn_scene, _), scene_reasons = _draw_scene(seed, scene, settings.world)
    name = _named(seed, scene, view)
    ((camera, view_seed), first), view_reasons = _draw_view(seed, scene, view, settings)
    reasons = (*scene_reasons, *view_reasons)
    renders = [replace(first, redrawn=reasons)]
    for light in range(1, lights):

        def try_light(attempt: int, light: int = light) -> tuple[None, Render]:
            rng = light_generator(seed, scene, attempt, view, light)
            relit = relight(rng, drawn_scene)
            relit_scene = build_scene(relit.surfaces | relit.lights, settings.world)
            return None, _render(relit_scene, camera, settings, _path_seed(rng), view_seed)

        (_, render), light_reasons = first_usable(try_light, f"{name}, light {light}")
        renders.append(replace(render, redrawn=(*reasons, *light_reasons)))
    return renders


def scene_and_camera(
    seed: int, scene: int, view: int, settings: RenderSettings
) -> tuple[Scene, BuiltScene, Camera, int]:
    """A scene, the same in Mitsuba, and the camera and seed of the light paths of one view.

    Raises:
        RuntimeError: if none of MAX_ATTEMPTS draws is usable.
    """
    ((camera, view_seed), _), _ = _draw_view(seed, scene, view, settings)
    (drawn_scene, mitsuba_scene), _ = _draw_scene(seed, scene, settings.world)
    return drawn_scene, mitsuba_scene, camera, view_seed


def _draw_view(
    seed: int, scene: int, view: int, settings: RenderSettings
) -> tuple[tuple[tuple[Camera, int], Render], tuple[str, ...]]:
    """Camera, seed of the light paths and image of a view, and why draws were rejected."""
    (drawn_scene, mitsuba_scene), _ = _draw_scene(seed, scene, settings.world)

    def try_view(attempt: int) -> tuple[tuple[Camera, int], Render]:
        rng = view_generator(seed, scene, attempt, view)
        camera, path_seed = drawn_scene.draw_camera(rng), _path_seed(rng)
        return (camera, path_seed), _render(mitsuba_scene, camera, settings, path_seed, path_seed)

    return first_usable(try_view, _named(seed, scene, view))


def _named(seed: int, scene: int, view: int) -> str:
    return f"scene {scene}, view {view} (seed {seed})"


@lru_cache(maxsize=1)  # the views of a scene are rendered one after another
def _draw_scene(
    seed: int, scene: int, world: World
) -> tuple[tuple[Scene, BuiltScene], tuple[str, ...]]:
    """The scene and its Mitsuba scene, and why earlier draws were rejected."""

    def try_scene(attempt: int) -> tuple[tuple[Scene, BuiltScene], Render]:
        rng = scene_generator(seed, scene, attempt)
        drawn = draw_scene(rng, world)
        mitsuba_scene = build_scene(drawn.surfaces | drawn.lights, world)
        path_seed = _path_seed(rng)
        overview = _render(mitsuba_scene, drawn.overview, OVERVIEW_SETTINGS, path_seed, path_seed)
        return (drawn, mitsuba_scene), overview

    (scenes, _), reasons = first_usable(try_scene, f"scene {scene} (seed {seed})")
    return scenes, reasons


def first_usable(
    draw: Callable[[int], tuple[T, Render]], name: str
) -> tuple[tuple[T, Render], tuple[str, ...]]:
    """The first of draw(0), draw(1), ... whose render is usable, and why the others were rejected.

    Args:
        draw: makes attempt number n and its render.
        name: what is drawn, for the error message.

    Raises:
        RuntimeError: if none of MAX_ATTEMPTS draws is usable.
    """
    reasons: list[str] = []
    for attempt in range(MAX_ATTEMPTS):
        drawn = draw(attempt)
        reason = reject_reason(drawn[1].beauty, drawn[1].albedo, drawn[1].valid)
        if reason is None:
            return drawn, tuple(reasons)
        reasons.append(reason)
    raise RuntimeError(
        f"{name}: none of {MAX_ATTEMPTS} draws is usable ({', '.join(reasons)}); "
        "choose another synthesize.seed"
    )


def reject_reason(beauty: np.ndarray, albedo: np.ndarray, valid: np.ndarray) -> str | None:
    """Why an image is rejected: "nan" (or infinite), "empty", "black"; None if it is usable."""
    if not (np.isfinite(beauty).all() and np.isfinite(albedo).all()):
        return "nan"
    if valid.mean() < MIN_VALID_SHARE:
        return "empty"
    if np.median(beauty[valid]) < MIN_BRIGHTNESS:
        return "black"
    return None


def _path_seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**32))


def _render(
    mitsuba_scene: BuiltScene,
    camera: Camera,
    settings: RenderSettings,
    seed: int,
    surface_seed: int,
) -> Render:
    return Render(*render_scene(mitsuba_scene, camera, settings, seed, surface_seed), redrawn=())
