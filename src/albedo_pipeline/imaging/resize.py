"""Resizing: area averages for images, shrinking for masks."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch.nn.functional import adaptive_max_pool2d, interpolate

_STRIP = 2**16
"""Pixels that are worked on at a time: few enough for the processor's cache."""
_BLOCK = 16
"""Target rows or columns whose weights make one matrix."""


def strips(height: int, width: int, multiple: int = 1) -> Iterator[slice]:
    """Rows of a picture, some at a time, in whole multiples."""
    rows = max(1, _STRIP // (width * multiple)) * multiple
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def resize_image(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """[H, W, C] => [height, width, C] float32: area average when shrinking, else bilinear.

    Averages are of light, so the values should be linear.
    """
    image = np.asarray(image, dtype=np.float32)
    if image.shape[:2] == (height, width):
        return image
    return resize_rows(lambda rows: image[rows], image.shape, height, width)


def resize_rows(
    rows_of: Callable[[slice], np.ndarray], shape: tuple[int, int, int], height: int, width: int
) -> np.ndarray:
    """As `resize_image`, of a picture of `shape`, [H, W, C], that is given some rows at a time."""
    whole_factors = shape[0] % height == 0 and shape[1] % width == 0
    if whole_factors:
        return _averaged(rows_of, shape, shape[0] // height, shape[1] // width)
    image = np.empty(shape, np.float32)
    for rows in strips(*shape[:2]):
        image[rows] = rows_of(rows)
    if height <= shape[0] and width <= shape[1]:
        return _weighted(image, height, width)
    x = torch.from_numpy(image)[None].permute(0, 3, 1, 2)
    resized = interpolate(x, size=(height, width), mode="bilinear", align_corners=False)
    return resized[0].permute(1, 2, 0).numpy()


def _weighted(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Means over areas that may hold parts of pixels. (torch's `area` takes whole ones, which
    moves the picture by up to half a pixel.)"""
    channels = image.shape[2]
    rows = torch.from_numpy(image.reshape(image.shape[0], -1))
    flat = torch.empty(height, rows.shape[1])
    for target, source, weights in _areas(image.shape[0], height):
        torch.mm(weights, rows[source], out=flat[target])
    result = torch.empty(height, width * channels)
    for target, source, weights in _areas(image.shape[1], width):
        across = torch.kron(weights.T.contiguous(), torch.eye(channels))
        result[:, _scaled(target, channels)] = flat[:, _scaled(source, channels)] @ across
    return result.numpy().reshape(height, width, channels)


def _scaled(part: slice, factor: int) -> slice:
    return slice(part.start * factor, part.stop * factor)


def _areas(size: int, target: int) -> Iterator[tuple[slice, slice, torch.Tensor]]:
    """Some target pixels at a time, the source pixels that they cover, and each one's share,
    float32 [targets, sources]."""
    for first in range(0, target, _BLOCK):
        place = np.arange(first, min(first + _BLOCK, target))[:, None]
        source = np.arange(first * size // target, -(-(int(place[-1, 0]) + 1) * size // target))
        # In whole numbers, so that a pixel at an area's end gets nothing rather than nearly so.
        end = np.minimum((source + 1) * target, (place + 1) * size)
        overlap = np.maximum(end - np.maximum(source * target, place * size), 0)
        shares = torch.from_numpy((overlap / size).astype(np.float32))
        yield slice(first, first + len(place)), slice(source[0], source[-1] + 1), shares


def _averaged(
    rows_of: Callable[[slice], np.ndarray], shape: tuple[int, int, int], down: int, across: int
) -> np.ndarray:
    """Means of blocks of whole pixels; several times faster than the general way."""
    height, width, channels = shape
    result = np.empty((height // down, width // across, channels), np.float32)
    # The sum over neighbours in a row as a product of matrices: the quickest way for few channels.
    gather = np.tile(np.eye(channels, dtype=np.float32), (across, 1)) / (down * across)
    for strip in strips(height, width, down):
        part = rows_of(strip)
        target = result[strip.start // down : strip.stop // down]
        if down == across == 1:
            target[:] = part
            continue
        rows = part[::down].copy() if down > 1 else part
        for i in range(1, down):
            rows += part[i::down]
        blocks = np.ascontiguousarray(rows).reshape(-1, across * channels)
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
