"""Small pictures for the report: stored pixels => 8-bit PNGs in data URIs."""

import base64
import io

import numpy as np

from albedo_pipeline.imaging.colormap import coloured
from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb
from albedo_pipeline.imaging.pixels import dequantize
from albedo_pipeline.imaging.resize import resize_image, resize_mask

ERROR_LIMIT = 0.25
"""Difference, sRGB-encoded, that the brightest colour of error and uncertainty stands for.

Larger values get the same colour. The limit is fixed, so that the pictures of two reports can be
compared, and it is the same for error and uncertainty, so that these can be compared too.
"""

_HATCH = np.array([104, 136], dtype=np.uint8)  # neutral greys: not among the error's colours


def side_within_budget(side: int, pictures: int, budget: int) -> int:
    """The largest side, in pixels, at which the pictures' data URIs take at most `budget` bytes.

    The worst case for PNG is noise: 3 bytes per RGB pixel, which base64 makes 4, plus 10 % for
    headers, so 4.4 bytes per pixel.

    Args:
        side: the largest side that is wanted, pixels.
        pictures: number of square RGB pictures that share the budget.
    """
    return max(1, min(side, int((budget / (4.4 * max(pictures, 1))) ** 0.5)))


def image_thumbnail(stored: np.ndarray, side: int) -> np.ndarray:
    """uint16 [3, H, W], sRGB-encoded => uint8 [h, w, 3], at most `side` pixels on the longer side.

    Pixels are averaged in linear light.
    """
    pixels = stored.transpose(1, 2, 0)
    height, width = _thumbnail_size(side, *pixels.shape[:2])
    if pixels.shape[:2] == (height, width):
        # 65535 = 257 * 255, so this is the exact rounding to 8 bits.
        return np.rint(pixels / 257).astype(np.uint8)
    linear = resize_image(decode_srgb(dequantize(pixels)), height, width)
    return np.rint(255 * np.clip(encode_srgb(linear), 0, 1)).astype(np.uint8)


def mask_thumbnail(valid: np.ndarray, side: int) -> np.ndarray:
    """uint8 [1, H, W], 1 is valid => bool [h, w], at most `side` pixels on the longer side."""
    return resize_mask(valid[0] == 1, *_thumbnail_size(side, *valid.shape[1:]))


def map_thumbnail(stored: np.ndarray, side: int) -> np.ndarray:
    """uint16 [1, H, W] => float32 [h, w] in [0, 1], at most `side` pixels on the longer side.

    Values are averaged as they are stored.
    """
    plane = dequantize(stored).transpose(1, 2, 0)
    return resize_image(plane, *_thumbnail_size(side, *plane.shape[:2]))[..., 0]


def _thumbnail_size(side: int, height: int, width: int) -> tuple[int, int]:
    """Height and width that fit into `side` pixels; a smaller picture keeps its size."""
    longer = max(height, width, side)
    return max(1, round(height * side / longer)), max(1, round(width * side / longer))


def absolute_error(prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Absolute difference of two uint8 [H, W, 3], mean over the channels: [H, W] in [0, 1]."""
    return np.abs(prediction.astype(np.float32) - truth.astype(np.float32)).mean(axis=-1) / 255


def error_picture(error: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """False-colour picture of error or uncertainty; invalid pixels are hatched.

    Args:
        error: [H, W] in [0, 1]; `ERROR_LIMIT` and more gets the brightest colour.
        valid: bool [H, W].

    Returns:
        uint8 [H, W, 3].
    """
    return hatched(coloured(error / ERROR_LIMIT), valid)


def hatched(picture: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """A copy of uint8 [H, W, 3] with grey diagonal stripes where `valid`, bool [H, W], is false."""
    rows, columns = np.indices(valid.shape)
    stripe = max(1, valid.shape[0] // 32)
    hatch = _HATCH[(rows + columns) // stripe % 2]
    return np.where(valid[..., None], picture, hatch[..., None])


def png_uri(picture: np.ndarray) -> str:
    """uint8 [H, W, 3] => `data:image/png;base64,…`, lossless."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
