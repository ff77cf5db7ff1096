"""One picture as a pure function of (seed, scene, view, light, settings), or many on all cores."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TypeVar

import numpy as np

from albedo_pipeline.rendering.cameras import Camera, draw_camera, overview
from albedo_pipeline.rendering.engine import build_scene, render_scene
from albedo_pipeline.rendering.scene import Scene, draw_scene, relit
from albedo_pipeline.rendering.settings import RenderSettings
from albedo_pipeline.rendering.streams import light_generator, scene_generator, view_generator
from albedo_pipeline.runtime.parallel import ordered_map, usable_cores

ATTEMPTS = 16
"""Draws of a scene, and of a view's camera, before the render is given up."""
BLACK = 1e-3
"""Median beauty of the valid pixels below which a picture is black (a lit one has about 0.1)."""
EMPTY = 0.25
"""Share of valid pixels below which a picture is empty."""
PROBE = RenderSettings(resolution=16, samples_per_pixel=4, max_depth=3)
"""The look at a scene that decides whether it is kept, whatever the size of its views."""
AHEAD = 3
"""Views in progress or waiting per process: enough to keep it busy, few enough for the memory."""

T = TypeVar("T")


@dataclass(frozen=True)
class Render:
    """One pair: beauty, albedo and mask, of H = W = the settings' resolution."""

    beauty: np.ndarray
    """float32 [H, W, 3], linear Rec.709 radiance, 0 and up."""
    albedo: np.ndarray
    """float32 [H, W, 3], linear Rec.709 diffuse reflectance in [0, 1]; trust `valid` pixels."""
    valid: np.ndarray
    """bool [H, W]: wholly covered by surfaces; no background, no light source."""
    redrawn: tuple[str, ...]
    """Why earlier draws were thrown away, oldest first: "nan", "black", "empty"."""


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
        seed: what all pictures are drawn from.
        scenes: numbers of the scenes.
        views: number of views of each scene.
        relit: number of further lights that the first view of each scene is shown under.
        settings: size and quality of the pictures.
        processes: number of processes; None: one for every core that this process may use. The
            pictures do not depend on it.

    Raises:
        RuntimeError: if a view has no usable draw.
        concurrent.futures.process.BrokenProcessPool: if a process was killed.
    """
    places = ((scene, view) for scene in scenes for view in range(views))
    workers = processes or usable_cores()
    render = partial(_render_place, seed, relit, settings)
    with closing(ordered_map(render, places, workers, _process_pool, AHEAD)) as rendered:
        for scene, view, renders in rendered:
            for light, picture in enumerate(renders):
                yield scene, view, light, picture


def _render_place(
    seed: int, relit: int, settings: RenderSettings, place: tuple[int, int]
) -> tuple[int, int, list[Render]]:
    scene, view = place
    lights = 1 if view else 1 + relit
    return scene, view, render_lights(seed, scene, view, settings, lights)


def _process_pool(workers: int) -> ProcessPoolExecutor:
    # Spawned, because Mitsuba's threads do not survive a fork.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start_process)


def _start_process() -> None:
    """Use one thread a process, and leave Ctrl-C to the parent, which ends the processes."""
    import drjit

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    drjit.set_thread_count(1)


def render_view(seed: int, scene: int, view: int, settings: RenderSettings) -> Render:
    """Render `view` of `scene`; the first of `render_lights`."""
    return render_lights(seed, scene, view, settings, lights=1)[0]


def render_lights(
    seed: int, scene: int, view: int, settings: RenderSettings, lights: int
) -> list[Render]:
    """Render `view` of `scene` under its own lights and under further ones: the same bits in any
    process and any order, and of each picture whatever the number of the others.

    Draws that came out bad are drawn again, in steps that keep the views of a scene together. First
    the scene: its draw is the first whose fixed overview, rendered small, is good; this does not
    depend on the view or the settings. Then the view: its camera is the first whose picture is
    good. Then each further light of it. `redrawn` holds the reasons of all that a picture needed.
    The pictures of a view have equal albedo, bit for bit, where it is valid in both.

    Raises:
        RuntimeError: no good draw within ATTEMPTS.
    """
    (shared, built), scene_reasons = _shared_scene(seed, scene)
    what = f"scene {scene}, view {view} (seed {seed})"

    def try_view(attempt: int) -> tuple[tuple[Camera, int], Render]:
        rng = view_generator(seed, scene, attempt, view)
        camera, paths = draw_camera(rng, shared), _path_seed(rng)
        return (camera, paths), _picture(built, camera, settings, paths, paths)

    ((camera, paths), first), view_reasons = first_good(try_view, what)
    reasons = (*scene_reasons, *view_reasons)
    renders = [replace(first, redrawn=reasons)]
    for light in range(1, lights):

        def try_light(attempt: int, light: int = light) -> tuple[None, Render]:
            rng = light_generator(seed, scene, attempt, view, light)
            other = relit(rng, shared)
            relit_scene = build_scene(other.surfaces | other.lights)
            return None, _picture(relit_scene, camera, settings, _path_seed(rng), paths)

        (_, kept), light_reasons = first_good(try_light, f"{what}, light {light}")
        renders.append(replace(kept, redrawn=(*reasons, *light_reasons)))
    return renders


@lru_cache(maxsize=1)  # the next view of the same scene
def _shared_scene(seed: int, scene: int) -> tuple[tuple[Scene, object], tuple[str, ...]]:
    """The scene and Mitsuba's build of it; why earlier draws were thrown away."""

    def try_scene(attempt: int) -> tuple[tuple[Scene, object], Render]:
        rng = scene_generator(seed, scene, attempt)
        drawn = draw_scene(rng)
        built = build_scene(drawn.surfaces | drawn.lights)
        paths = _path_seed(rng)
        return (drawn, built), _picture(built, overview(drawn), PROBE, paths, paths)

    (kept, _), reasons = first_good(try_scene, f"scene {scene} (seed {seed})")
    return kept, reasons


def first_good(
    draw: Callable[[int], tuple[T, Render]], what: str
) -> tuple[tuple[T, Render], tuple[str, ...]]:
    """The first of draw(0), draw(1), ... whose picture is good, and why the others were not.

    Raises:
        RuntimeError: none of ATTEMPTS is good; `what` is named.
    """
    reasons: list[str] = []
    for attempt in range(ATTEMPTS):
        drawn = draw(attempt)
        reason = reject_reason(drawn[1].beauty, drawn[1].albedo, drawn[1].valid)
        if reason is None:
            return drawn, tuple(reasons)
        reasons.append(reason)
    raise RuntimeError(f"{what}: none of {ATTEMPTS} draws is usable: {', '.join(reasons)}")


def reject_reason(beauty: np.ndarray, albedo: np.ndarray, valid: np.ndarray) -> str | None:
    """Why a picture is thrown away: "nan" (or infinite), "empty", "black"; None if it is good."""
    if not (np.isfinite(beauty).all() and np.isfinite(albedo).all()):
        return "nan"
    if valid.mean() < EMPTY:
        return "empty"
    if np.median(beauty[valid]) < BLACK:
        return "black"
    return None


def _path_seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**32))


def _picture(
    built: object, camera: Camera, settings: RenderSettings, seed: int, surface_seed: int
) -> Render:
    return Render(*render_scene(built, camera, settings, seed, surface_seed), redrawn=())
