"""Materials of the wide world: diffuse or slightly glossy, in one colour or with a texture."""

import numpy as np

from albedo_pipeline.rendering.materials import material, plain, textured
from albedo_pipeline.rendering.wide.palettes import GREENS, draw_wide_palette, natural
from albedo_pipeline.rendering.wide.textures import GROUNDS, draw_wide_texture

TEXTURES = 4
"""Textures of one scene that its objects share, because drawing one takes 10 ms."""


class MaterialSet:
    """The materials of one scene: objects share a palette and a few textures."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._palette = draw_wide_palette(rng)
        self._textures = [draw_wide_texture(rng, self._palette) for _ in range(TEXTURES)]
        self._textured_share = rng.uniform(0.3, 0.95)

    def draw(self, repeats: float = 1.0) -> dict:
        """Material of an object, with a texture that repeats about `repeats` times per unit."""
        if self._rng.random() > self._textured_share:
            return self.draw_plain()
        texture = self._textures[self._rng.integers(TEXTURES)]
        return self._material(textured(texture, repeats * self._rng.uniform(0.6, 1.6)))

    def draw_plain(self) -> dict:
        """Material of one colour."""
        return self._material(plain(self._palette[self._rng.integers(len(self._palette))]))

    def draw_ground(self, tile: float) -> dict:
        """Material of a large surface; its texture is about `tile` scene units wide."""
        patterns = GROUNDS if self._rng.random() < 0.75 else None
        texture = draw_wide_texture(self._rng, self._palette, patterns)
        return self._material(textured(texture, 1 / (tile * self._rng.uniform(0.6, 1.6))))

    def draw_picture(self, repeats: float = 1.0) -> dict:
        """Material with a picture, a collage, or writing."""
        patterns = ["picture", "dead_leaves", "writing", "photo_noise"]
        return self._material(
            textured(draw_wide_texture(self._rng, self._palette, patterns), repeats)
        )

    def draw_leaves(self, repeats: float = 1.0) -> dict:
        """Material of plants: mostly green, with or without a texture of leaves."""
        colours = natural(self._rng, GREENS, 7)
        if self._rng.random() < 0.15:
            colours = self._palette
        if self._rng.random() < 0.4:
            return self._material(plain(colours[0]))
        texture = draw_wide_texture(self._rng, colours, ["strokes", "fractal", "photo_noise"])
        return self._material(textured(texture, repeats))

    def _material(self, albedo: dict) -> dict:
        kind = str(self._rng.choice(["diffuse", "plastic", "principled"], p=[0.7, 0.08, 0.22]))
        return material(self._rng, kind, albedo)
