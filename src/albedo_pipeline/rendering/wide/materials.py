"""Materials of the wide world: diffuse or slightly glossy, in one colour or with a texture."""

import numpy as np

from albedo_pipeline.rendering.materials import material, plain, textured
from albedo_pipeline.rendering.wide.palettes import GREENS, draw_wide_palette, natural
from albedo_pipeline.rendering.wide.textures import GROUNDS, draw_wide_texture

POOL = 3
"""Textures of each use that a scene has at most, because drawing one takes about 20 ms."""
PICTURES = ["picture", "dead_leaves", "writing", "photo_noise"]
LEAVES = ["strokes", "fractal", "photo_noise"]
"""Patterns for pictures and for plants."""


class MaterialSet:
    """The materials of one scene: its surfaces share a palette and a few textures."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._palette = draw_wide_palette(rng)
        self._pools: dict[str, list[np.ndarray]] = {}
        self._textured_share = rng.uniform(0.3, 0.95)

    def draw(self, repeats: float = 1.0) -> dict:
        """Material of an object, with a texture that repeats about `repeats` times per unit."""
        if self._rng.random() > self._textured_share:
            return self.draw_plain()
        return self._textured("objects", None, repeats * self._rng.uniform(0.6, 1.6))

    def draw_plain(self) -> dict:
        """Material of one colour."""
        return self._material(plain(self._palette[self._rng.integers(len(self._palette))]))

    def draw_ground(self, tile: float) -> dict:
        """Material of a large surface; its texture is about `tile` scene units wide."""
        repeats = 1 / (tile * self._rng.uniform(0.6, 1.6))
        if self._rng.random() < 0.75:
            return self._textured("grounds", GROUNDS, repeats)
        return self._textured("objects", None, repeats)

    def draw_picture(self, repeats: float = 1.0) -> dict:
        """Material with a picture, a collage, or writing."""
        return self._textured("pictures", PICTURES, repeats)

    def draw_leaves(self, repeats: float = 1.0) -> dict:
        """Material of plants: mostly green, with or without a texture of leaves."""
        green = self._rng.random() < 0.85
        colours = natural(self._rng, GREENS, len(self._palette)) if green else self._palette
        if self._rng.random() < 0.4:
            return self._material(plain(colours[0]))
        return self._textured("leaves", LEAVES, repeats, colours)

    def _textured(
        self,
        pool: str,
        patterns: list[str] | None,
        repeats: float,
        palette: np.ndarray | None = None,
    ) -> dict:
        """Material with a texture of `pool`, which is drawn if the pool is not full."""
        textures = self._pools.setdefault(pool, [])
        index = int(self._rng.integers(POOL))
        if index >= len(textures):
            colours = self._palette if palette is None else palette
            textures.append(draw_wide_texture(self._rng, colours, patterns))
            index = len(textures) - 1
        return self._material(textured(textures[index], repeats))

    def _material(self, albedo: dict) -> dict:
        kind = str(self._rng.choice(["diffuse", "plastic", "principled"], p=[0.7, 0.08, 0.22]))
        return material(self._rng, kind, albedo)
