"""Cropping and resizing to a square: area averages for images, shrinking for masks."""

import numpy as np
import torch
from torch.nn.functional import interpolate


def centre_square(image: np.ndarray) -> np.ndarray:
    """The largest centred square of [H, W, ...]."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def resize_image(image: np.ndarray, side: int) -> np.ndarray:
    """[H, W, C] => [side, side, C] float32: area average when shrinking, else bilinear.

    Averages are of light, so the values should be linear.
    """
    height, width = image.shape[:2]
    if (height, width) == (side, side):
        return np.asarray(image, dtype=np.float32)
    x = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32)).permute(2, 0, 1)[None]
    shrinks = side <= height and side <= width
    options = {"mode": "area"} if shrinks else {"mode": "bilinear", "align_corners": False}
    return interpolate(x, size=(side, side), **options)[0].permute(1, 2, 0).numpy()


def resize_mask(valid: np.ndarray, side: int) -> np.ndarray:
    """[H, W] bool => [side, side] bool: true only where every pixel that contributes is."""
    invalid = (~valid).astype(np.float32)[..., None]
    return resize_image(invalid, side)[..., 0] == 0
