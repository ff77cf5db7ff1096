"""Enlargement of a prediction with the image as guide, so that its edges stay sharp.

The guided filter (He et al. 2013) fits, around each pixel of the small image, a linear function of
the image's colour to the prediction:

    prediction = A colour + b,    A = (cov(colour) + eps I)^-1 cov(colour, prediction)

A and b are enlarged instead of the prediction, and applied to the image at its own size (He & Sun
2015, "Fast guided filter"). Colours and albedo are sRGB-encoded.
"""

import numpy as np
import torch
from torch.nn.functional import avg_pool2d, pad

from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb
from albedo_pipeline.imaging.pixels import dequantize
from albedo_pipeline.imaging.resize import strips
from albedo_pipeline.inference.tiling import enlarged

_RADIUS = 1
"""Radius of the windows, pixels of the small image; larger ones bring the light back in."""
_EPSILON = 1e-3
"""Variance of the colour below which a window counts as flat."""


def enlarge_guided(albedo: np.ndarray, small: np.ndarray, beauty: np.ndarray) -> np.ndarray:
    """Enlarge an albedo to the size of the beauty, float16 [H, W, 3], linear, in [0, 1].

    Args:
        albedo: linear, float [h, w, 3].
        small: the beauty at the albedo's size, uint16 [h, w, 3], sRGB-encoded.
        beauty: uint16 [H, W, 3], sRGB-encoded.
    """
    matrix, offset = _linear_model(dequantize(small), encode_srgb(albedo))
    height, width = beauty.shape[:2]
    result = np.empty((height, width, 3), np.float16)
    for rows in strips(height, width):
        place = (height, width, rows, slice(0, width))
        slope = enlarged(matrix, *place).reshape(-1, width, 3, 3)
        value = np.einsum("hwij,hwi->hwj", slope, dequantize(beauty[rows]))
        result[rows] = decode_srgb(np.clip(value + enlarged(offset, *place), 0, 1))
    return result


def _linear_model(guide: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A, [h, w, 9], and b, [h, w, 3], averaged over all windows that hold the pixel."""
    height, width = guide.shape[:2]
    mean, target_mean = _window_mean(guide), _window_mean(target)
    variance = _covariance(guide, guide, mean, mean) + _EPSILON * np.eye(3, dtype=np.float32)
    matrix = np.linalg.solve(variance, _covariance(guide, target, mean, target_mean))
    offset = target_mean - np.einsum("hwij,hwi->hwj", matrix, mean)
    return _window_mean(matrix.reshape(height, width, 9)), _window_mean(offset)


def _covariance(a: np.ndarray, b: np.ndarray, a_mean: np.ndarray, b_mean: np.ndarray) -> np.ndarray:
    """Covariance of each pair of channels in each window, [h, w, 3, 3]."""
    products = (a[..., :, None] * b[..., None, :]).reshape(*a.shape[:2], 9)
    means = a_mean[..., :, None] * b_mean[..., None, :]
    return _window_mean(products).reshape(means.shape) - means


def _window_mean(image: np.ndarray) -> np.ndarray:
    """Mean over the window around each pixel; the border is repeated."""
    side = 2 * _RADIUS + 1
    x = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1), np.float32))[None]
    means = avg_pool2d(pad(x, (_RADIUS,) * 4, mode="replicate"), side, stride=1)
    return means[0].permute(1, 2, 0).numpy()
