"""How well a picture is rendered."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RenderSettings:
    """Size and quality of every picture of a run."""

    resolution: int
    """Width and height, pixels."""
    samples_per_pixel: int
    """Light paths a pixel. Mitsuba rounds it up to a grid of strata: 24 stays 24, 32 becomes 35."""
    max_depth: int
    """Longest light path, in segments; 2 is direct light only."""
