"""Resizing: area averages for images, shrinking for masks."""

import numpy as np
import torch
from torch.nn.functional import adaptive_max_pool2d, interpolate


def resize_image(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """[H, W, C] => [height, width, C] float32: area average when shrinking, else bilinear.

    Averages are of light, so the values should be linear.
    """
    image = np.asarray(image, dtype=np.float32)
    if image.shape[:2] == (height, width):
        return image
    shrinks = height <= image.shape[0] and width <= image.shape[1]
    if shrinks and not (image.shape[0] % height or image.shape[1] % width):
        return _averaged(image, image.shape[0] // height, image.shape[1] // width)
    x = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
    options = {"mode": "area"} if shrinks else {"mode": "bilinear", "align_corners": False}
    return interpolate(x, size=(height, width), **options)[0].permute(1, 2, 0).numpy()


def _averaged(image: np.ndarray, down: int, across: int) -> np.ndarray:
    """Means of blocks of whole pixels; several times faster than the general way."""
    rows = image[::down].copy()
    for i in range(1, down):
        rows += image[i::down]
    result = rows[:, ::across].copy()
    for i in range(1, across):
        result += rows[:, i::across]
    result *= np.float32(1 / (down * across))
    return result


def resize_mask(valid: np.ndarray, height: int, width: int) -> np.ndarray:
    """[H, W] bool => [height, width] bool: true only where every pixel that contributes is."""
    if valid.shape == (height, width):
        return valid
    if valid.all():
        return np.ones((height, width), bool)
    invalid = (~valid).astype(np.float32)
    if height <= valid.shape[0] and width <= valid.shape[1]:
        x = torch.from_numpy(invalid)[None]
        return adaptive_max_pool2d(x, (height, width))[0].numpy() == 0
    return resize_image(invalid[..., None], height, width)[..., 0] == 0
