"""Data windows and display windows: which pixels a file holds, which it shows, and which way."""

import numpy as np

_FLIPPED: dict[int, int | tuple[int, ...]] = {2: 1, 3: (0, 1), 4: 0, 6: 1, 7: (0, 1), 8: 0}
"""Axes that an EXIF orientation flips, after rows and columns were exchanged from 5 on."""


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise ValueError where an image has no pixel, or more than `max_pixels`."""
    if width < 1 or height < 1:
        raise ValueError(f"{width} x {height} pixels: no pixel")
    if width * height > max_pixels:
        raise ValueError(f"{width} x {height} pixels: more than {max_pixels / 1e6:g} megapixels")


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn [H, W, C] as the EXIF orientation (1 to 8) asks; others are taken for 1."""
    if orientation not in range(2, 9):
        return pixels
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    return np.ascontiguousarray(np.flip(pixels, _FLIPPED.get(orientation, ())))


def on_display(
    pixels: np.ndarray, top: int, left: int, height: int, width: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Lay a data window [h, w, C] on a display window: overscan is cut off, gaps are 0.

    Args:
        pixels: of the data window.
        top: of the data window's first row in the display window; negative: overscan.
        left: likewise of its first column.
        height: of the display window.
        width: of the display window.

    Returns:
        Pixels [height, width, C], a view where none are missing; and bool [height, width], where
        there is data (None: everywhere).

    Raises:
        ValueError: where the windows have no pixel in common.
    """
    bottom, right = top + pixels.shape[0], left + pixels.shape[1]
    rows = slice(max(top, 0), min(bottom, height))
    columns = slice(max(left, 0), min(right, width))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise ValueError("the data window lies outside the display window")
    shown = pixels[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    if shown.shape[:2] == (height, width):
        return shown, None
    canvas = np.zeros((height, width, pixels.shape[2]), pixels.dtype)
    covered = np.zeros((height, width), bool)
    canvas[rows, columns], covered[rows, columns] = shown, True
    return canvas, covered
