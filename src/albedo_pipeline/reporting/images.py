"""Small pictures for the report: stored pixels => 8-bit PNGs in data URIs."""

import base64
import io

import numpy as np

from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb
from albedo_pipeline.imaging.pixels import dequantize
from albedo_pipeline.imaging.resize import resize_image, resize_mask


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


def png_uri(picture: np.ndarray) -> str:
    """uint8 [H, W, 3] => `data:image/png;base64,…`, lossless."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
