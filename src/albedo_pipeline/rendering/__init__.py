"""Random scenes rendered to pairs of beauty and albedo with Mitsuba 3.

A render is a pure function of (seed, scene, view, light, settings): any process and any order of
rendering give the same bits. The views of a scene show the same objects, materials and lights from
different cameras; a view can also be rendered under further lights.
Importing this package does not import Mitsuba.
"""

from albedo_pipeline.rendering.camera_move import render_move
from albedo_pipeline.rendering.engine import RenderSettings
from albedo_pipeline.rendering.render import Render, render_all, render_view

__all__ = ["Render", "RenderSettings", "render_all", "render_move", "render_view"]
