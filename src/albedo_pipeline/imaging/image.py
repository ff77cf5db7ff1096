"""An image as its file stores it, converted to linear light a few rows at a time.

Large images are processed in strips that fit into the processor's cache, so that no second copy of
the complete image is made.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from albedo_pipeline.imaging.colour import ColourSpace, to_linear
from albedo_pipeline.imaging.declarations import ColourNotes
from albedo_pipeline.imaging.pixels import as_float32


@dataclass(frozen=True)
class Image:
    """An image as its file stores it."""

    pixels: np.ndarray
    """float16 or float32 [H, W, 3]."""
    space: ColourSpace
    """Colour space of the pixels."""
    type: str
    """Type of the file's own pixels: uint8, uint16, half, float, …"""
    notes: ColourNotes = field(default_factory=ColourNotes)
    """How its colour space was found."""

    def rows(self, rows: slice) -> np.ndarray:
        """Some rows as stored, float32 [h, W, 3]."""
        return as_float32(self.pixels[rows])


def linear_rows(image: Image, usable: np.ndarray) -> Callable[[slice], np.ndarray]:
    """Return a function that gives rows of the image in linear Rec.709, float32 [h, W, 3].

    Pixels that are not usable become 0, and so do negative channels of ACEScg colours that lie
    outside Rec.709.

    Args:
        image: the image in its own colour space.
        usable: bool [H, W].
    """
    is_clean = bool(usable.all())

    def rows_of(rows: slice) -> np.ndarray:
        stored = image.rows(rows)
        if not is_clean:
            stored = np.where(usable[rows, :, None], stored, 0)
        linear = to_linear(stored, image.space)
        return np.maximum(linear, 0) if image.space == "acescg" else linear

    return rows_of
