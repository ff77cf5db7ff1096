"""What a random scene is, described without Mitsuba, and the names of the worlds."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from albedo_pipeline.rendering.cameras import Camera
from albedo_pipeline.rendering.meshes import Mesh

World = Literal["tabletop", "wide"]
"""`tabletop`: a few objects on a floor. `wide`: tabletops, heaps of small objects, rooms, outdoors
and close-ups, with sharper textures and shadows."""


@dataclass(frozen=True)
class Scene:
    """Everything that the views of a scene share."""

    surfaces: dict
    """Mitsuba descriptions of the surfaces by name, with arrays and `Mesh`es in place of Mitsuba's
    own objects."""
    lights: dict
    """Mitsuba descriptions of the lights by name, as for `surfaces`."""
    overview: Camera
    """A camera whose image decides whether the scene is used."""
    draw_camera: Callable[[np.random.Generator], Camera]
    """Draws the camera of a view."""
    draw_lights: Callable[[np.random.Generator], dict]
    """Draws other lights for the same surfaces."""


def relight(rng: np.random.Generator, scene: Scene) -> Scene:
    """The scene with new random lights and the same surfaces."""
    return replace(scene, lights=scene.draw_lights(rng))


def shape(mesh: Mesh, material: dict) -> dict:
    """Mitsuba description of a surface."""
    return {"type": "mesh", "mesh": mesh, "bsdf": material}
