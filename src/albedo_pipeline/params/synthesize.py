"""Settings of `synthesize`."""

from typing import Literal

from pydantic import Field

from albedo_pipeline.params.base import Params


class SynthesizeParams(Params):
    """Which scenes are rendered, and at which quality."""

    seed: int = Field(2024, ge=0, lt=2**63)
    """Seed of all scenes; an image is determined by the seed and its scene, view and light."""
    world: Literal["tabletop", "wide"] = "tabletop"
    """What the scenes are drawn from. `tabletop`: 2 to 8 objects on a floor, perhaps with walls.
    `wide`: tabletops, heaps of small objects, rooms, outdoors and close-ups, with sharp textures
    and shadows; for an estimator that has to work on other people's images."""
    scenes: int = Field(ge=1)
    """Number of scenes; a scene is one group."""
    views: int = Field(ge=1)
    """Number of views of each scene."""
    relit: int = Field(0, ge=0)
    """Number of further lights that the first view of each scene is rendered under, to measure how
    little a predicted albedo changes with the light."""
    resolution: int = Field(ge=16, le=4096)
    """Width and height of the images, pixels."""
    samples_per_pixel: int = Field(32, ge=1)
    """Light paths per pixel; more of them give less noise."""
    max_depth: int = Field(5, ge=2)
    """Length of the longest light path, in segments; 2 is direct light only."""
    processes: int | None = Field(None, ge=1)
    """Number of rendering processes; null: one per core. The images do not depend on it."""
