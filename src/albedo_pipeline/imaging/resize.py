"""Resizing: area averages for images; masks stay true only if all their pixels are."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch.nn.functional import adaptive_max_pool2d, interpolate

_STRIP_PIXELS = 2**16
"""Pixels that are processed at a time: few enough for the processor's cache."""
_BLOCK = 16
"""Target rows or columns whose weights make one matrix."""


def strips(height: int, width: int, multiple: int = 1) -> Iterator[slice]:
    """Divide the rows of an image into strips of about 65,536 pixels.

    Args:
        height: height of the image, in pixels.
        width: width of the image, in pixels.
        multiple: what the number of rows in a strip is divisible by, except in the last strip.
    """
    rows = max(1, _STRIP_PIXELS // (width * multiple)) * multiple
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def resize_image(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """[H, W, C] => [height, width, C] float32: area average when shrinking, else bilinear.

    The values should be linear, because averages are physically meaningful only for linear light.
    """
    image = np.asarray(image, dtype=np.float32)
    if image.shape[:2] == (height, width):
        return image
    return resize_rows(lambda rows: image[rows], image.shape, height, width)


def resize_rows(
    rows_of: Callable[[slice], np.ndarray], shape: tuple[int, int, int], height: int, width: int
) -> np.ndarray:
    """Resize, as `resize_image` does, an image that is given a few rows at a time.

    Args:
        rows_of: gives some rows of the image, [h, W, C].
        shape: shape of the image, [H, W, C].
        height: height of the result, in pixels.
        width: width of the result, in pixels.
    """
    whole_factors = shape[0] % height == 0 and shape[1] % width == 0
    if whole_factors:
        return _block_average(rows_of, shape, shape[0] // height, shape[1] // width)
    image = np.empty(shape, np.float32)
    for rows in strips(*shape[:2]):
        image[rows] = rows_of(rows)
    if height <= shape[0] and width <= shape[1]:
        return _area_average(image, height, width)
    x = torch.from_numpy(image)[None].permute(0, 3, 1, 2)
    resized = interpolate(x, size=(height, width), mode="bilinear", align_corners=False)
    return resized[0].permute(1, 2, 0).numpy()


def _area_average(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Means over areas that may hold parts of pixels, first down the columns, then along the rows.

    torch's mode `area` rounds the areas to whole pixels, which moves the image by up to half a
    pixel.
    """
    channels = image.shape[2]
    rows = torch.from_numpy(image.reshape(image.shape[0], -1))
    flat = torch.empty(height, rows.shape[1])
    for target, source, weights in _area_weights(image.shape[0], height):
        torch.mm(weights, rows[source], out=flat[target])
    result = torch.empty(height, width * channels)
    for target, source, weights in _area_weights(image.shape[1], width):
        # A row is [W * C], so each weight stands on the diagonal of a C x C block.
        # A clone, because the transpose of a single row counts as contiguous, but kron needs the
        # strides of a new tensor.
        transposed = weights.T.clone(memory_format=torch.contiguous_format)
        across = torch.kron(transposed, torch.eye(channels))
        result[:, _scaled(target, channels)] = flat[:, _scaled(source, channels)] @ across
    return result.numpy().reshape(height, width, channels)


def _scaled(part: slice, factor: int) -> slice:
    return slice(part.start * factor, part.stop * factor)


def _area_weights(size: int, target: int) -> Iterator[tuple[slice, slice, torch.Tensor]]:
    """For some target pixels at a time: the source pixels that they cover, and their weights.

    Shrinking from S to T pixels, target pixel i covers [i S/T, (i+1) S/T) of the source, so

        weight(i, j) = |[i S, (i+1) S) ∩ [j T, (j+1) T)| / S

    after both intervals are multiplied by T. The overlap is computed in integers, so that a pixel
    that only touches the area has a weight of exactly 0.

    Args:
        size: number of source pixels, S.
        target: number of target pixels, T.

    Yields:
        Target pixels, source pixels, and weights, float32 [targets, sources].
    """
    for first in range(0, target, _BLOCK):
        i = np.arange(first, min(first + _BLOCK, target))[:, None]
        j = np.arange(first * size // target, -(-(int(i[-1, 0]) + 1) * size // target))
        end = np.minimum((j + 1) * target, (i + 1) * size)
        overlap = np.maximum(end - np.maximum(j * target, i * size), 0)
        weights = torch.from_numpy((overlap / size).astype(np.float32))
        yield slice(first, first + len(i)), slice(j[0], j[-1] + 1), weights


def _block_average(
    rows_of: Callable[[slice], np.ndarray], shape: tuple[int, int, int], down: int, across: int
) -> np.ndarray:
    """Means of blocks of `down` x `across` pixels; several times faster than `_area_average`."""
    height, width, channels = shape
    result = np.empty((height // down, width // across, channels), np.float32)
    # For few channels a matrix product is the fastest way to sum neighbours within a row.
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
    """[H, W] bool => [height, width] bool: true only if every pixel that contributes is true."""
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
