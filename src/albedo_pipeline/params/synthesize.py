"""Settings of `synthesize`."""

from pydantic import Field

from albedo_pipeline.params.base import Params


class SynthesizeParams(Params):
    """Which scenes are rendered, and how well."""

    seed: int = Field(2024, ge=0, lt=2**63)
    """Together with the numbers of scene and view it determines every picture."""
    scenes: int = Field(ge=1)
    """Number of scenes; a scene is one group."""
    views: int = Field(ge=1)
    """Number of views of each scene."""
    relit: int = Field(0, ge=0)
    """Further lights that the first view of each scene is shown under, for albedo constancy."""
    resolution: int = Field(ge=16, le=4096)
    """Width and height, pixels."""
    samples_per_pixel: int = Field(32, ge=1)
    max_depth: int = Field(5, ge=2)
    """Longest light path, in segments; 2 is direct light only."""
    processes: int | None = Field(None, ge=1)
    """Rendering processes; null takes every core. The pictures do not depend on it."""
