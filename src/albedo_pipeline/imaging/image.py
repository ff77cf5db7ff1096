"""An image as its file has it, given in linear light a few rows at a time.

Large pictures are worked on in strips that stay in the processor's cache, and are never copied as
a whole.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from albedo_pipeline.imaging.colour import ColourSpace, to_linear
from albedo_pipeline.imaging.pixels import single


@dataclass(frozen=True)
class Image:
    """An image as its file has it."""

    pixels: np.ndarray
    """float16 or float32 [H, W, 3]."""
    space: ColourSpace
    type: str
    """Type of the file's pixels."""

    def rows(self, rows: slice) -> np.ndarray:
        """Some rows as stored, float32 [h, W, 3]."""
        return single(self.pixels[rows])


def linear_rows(image: Image, sound: np.ndarray) -> Callable[[slice], np.ndarray]:
    """Rows => linear Rec.709, float32 [h, W, 3]; 0 where not sound, and for negative channels of
    colours that Rec.709 does not have."""
    is_clean = bool(sound.all())

    def rows_of(rows: slice) -> np.ndarray:
        stored = image.rows(rows)
        if not is_clean:
            stored = np.where(sound[rows, :, None], stored, 0)
        linear = to_linear(stored, image.space)
        return np.maximum(linear, 0) if image.space == "acescg" else linear

    return rows_of
