"""`RenderSettings`, under the name that `rendering.pool` imports."""

from albedo_pipeline.rendering.engine import RenderSettings

__all__ = ["RenderSettings"]
