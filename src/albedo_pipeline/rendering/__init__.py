"""Random scenes rendered to pairs of beauty and albedo, with Mitsuba 3.

A picture is a pure function of (seed, scene, view, light, settings): the same bits in any process,
in any order. The views of a scene show the same objects, materials and lights from different
cameras; a view can be shown under further lights.
Importing this package does not import Mitsuba.
"""

from albedo_pipeline.rendering.render import Render, render_all, render_view
from albedo_pipeline.rendering.settings import RenderSettings

__all__ = ["Render", "RenderSettings", "render_all", "render_view"]
