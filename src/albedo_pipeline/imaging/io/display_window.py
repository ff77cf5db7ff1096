"""Size, orientation and windows of an image: which pixels a file holds, and which it shows."""

import numpy as np

_FLIPPED_AXES: dict[int, int | tuple[int, ...]] = {2: 1, 3: (0, 1), 4: 0, 6: 1, 7: (0, 1), 8: 0}
"""Axes to flip for each EXIF orientation; from 5 on rows and columns are exchanged before that."""


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Check that an image has at least one pixel, and not too many.

    Raises:
        ValueError: if it has no pixel, or more than `max_pixels`.
    """
    if width < 1 or height < 1:
        raise ValueError(f"{width} x {height} pixels: the image is empty")
    if width * height > max_pixels:
        raise ValueError(f"{width} x {height} pixels: more than {max_pixels / 1e6:g} megapixels")


def turn_upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn [H, W, C] upright by its EXIF orientation, 1 to 8; any other value counts as 1."""
    if orientation not in range(2, 9):
        return pixels
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    return np.ascontiguousarray(np.flip(pixels, _FLIPPED_AXES.get(orientation, ())))


def fit_display_window(
    pixels: np.ndarray, top: int, left: int, height: int, width: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Place a data window [h, w, C] on its display window: overscan is cut off, gaps become 0.

    Args:
        pixels: pixels of the data window, [h, w, C].
        top: row of the display window at which the data window begins; negative for overscan.
        left: column of the display window at which the data window begins; negative for overscan.
        height: height of the display window, in pixels.
        width: width of the display window, in pixels.

    Returns:
        Pixels [height, width, C], a view if none are missing, and bool [height, width], true where
        there is data; None if there is data everywhere.

    Raises:
        ValueError: if the windows have no pixel in common.
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
