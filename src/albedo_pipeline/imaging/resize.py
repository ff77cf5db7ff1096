"""Resizing: area averages for images, shrinking for masks."""

from collections.abc import Iterator

import numpy as np
import torch
from torch.nn.functional import adaptive_max_pool2d, interpolate

_STRIP = 2**16
"""Pixels that are worked on at a time: few enough for the processor's cache."""


def strips(height: int, width: int, multiple: int = 1) -> Iterator[slice]:
    """Rows of a picture, some at a time, in whole multiples."""
    rows = max(1, _STRIP // (width * multiple)) * multiple
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def resize_image(
    image: np.ndarray, height: int, width: int, limit: float | None = None
) -> np.ndarray:
    """[H, W, C] => [height, width, C] float32: area average when shrinking, else bilinear.

    Averages are of light, so the values should be linear. Values above `limit` count as `limit`.
    """
    image = np.asarray(image, dtype=np.float32)
    shrinks = height <= image.shape[0] and width <= image.shape[1]
    if shrinks and not (image.shape[0] % height or image.shape[1] % width):
        return _averaged(image, image.shape[0] // height, image.shape[1] // width, limit)
    if limit is not None:
        image = np.minimum(image, np.float32(limit))
    x = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
    options = {"mode": "area"} if shrinks else {"mode": "bilinear", "align_corners": False}
    return interpolate(x, size=(height, width), **options)[0].permute(1, 2, 0).numpy()


def _averaged(image: np.ndarray, down: int, across: int, limit: float | None) -> np.ndarray:
    """Means of blocks of whole pixels; several times faster than the general way."""
    height, width, channels = image.shape
    if down == across == 1 and limit is None:
        return image
    result = np.empty((height // down, width // across, channels), np.float32)
    # The sum over neighbours in a row as a product of matrices: the quickest way for few channels.
    gather = np.tile(np.eye(channels, dtype=np.float32), (across, 1)) / (down * across)
    for strip in strips(height, width, down):
        part = image[strip] if limit is None else np.minimum(image[strip], np.float32(limit))
        rows = part[::down].copy() if down > 1 else part
        for i in range(1, down):
            rows += part[i::down]
        blocks = np.ascontiguousarray(rows).reshape(-1, across * channels)
        target = result[strip.start // down : strip.stop // down]
        np.matmul(blocks, gather, out=target.reshape(-1, channels))
    return result


def resize_mask(valid: np.ndarray, height: int, width: int) -> np.ndarray:
    """[H, W] bool => [height, width] bool: true only where every pixel that contributes is."""
    if valid.shape == (height, width):
        return valid
    if valid.all():
        return np.ones((height, width), bool)
    shrinks = height <= valid.shape[0] and width <= valid.shape[1]
    if not shrinks:
        invalid = (~valid).astype(np.float32)[..., None]
        return resize_image(invalid, height, width)[..., 0] == 0
    down, across = valid.shape[0] // height, valid.shape[1] // width
    if valid.shape != (height * down, width * across):
        x = torch.from_numpy(~valid)[None].float()
        return adaptive_max_pool2d(x, (height, width))[0].numpy() == 0
    rows = np.logical_and.reduce([valid[i::down] for i in range(down)])
    return np.logical_and.reduce([rows[:, i::across] for i in range(across)])
