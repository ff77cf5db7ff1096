"""Small pictures for the page: stored pixels => 8-bit PNGs in data URIs."""

import base64
import io

import numpy as np

from albedo_pipeline.imaging.colormap import coloured
from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb
from albedo_pipeline.imaging.pixels import dequantize
from albedo_pipeline.imaging.resize import resize_image, resize_mask

ERROR_LIMIT = 0.25
"""The brightest colour of error and uncertainty stands for this sRGB difference and all above it.
Fixed, so that the pictures of two reports can be compared, and one for both, so that these can."""

_HATCH = np.array([104, 136], dtype=np.uint8)  # neutral greys, apart from the error's colours


def shown_side(side: int, pictures: int, budget: int) -> int:
    """The largest side, in pixels, whose RGB PNGs as data URIs cannot pass `budget` bytes.

    Noise is the worst that a PNG can hold: 3 bytes a pixel, 4 in base64; 10 % are for headers.
    """
    return max(1, min(side, int((budget / (4.4 * max(pictures, 1))) ** 0.5)))


def shrunk(stored: np.ndarray, side: int) -> np.ndarray:
    """uint16 [3, H, W], sRGB-encoded => uint8 [h, w, 3], `side` on the longer side; averages are
    of light."""
    pixels = stored.transpose(1, 2, 0)
    height, width = _within(side, *pixels.shape[:2])
    if pixels.shape[:2] == (height, width):
        # 65535 = 257 * 255, so this is the exact rounding to 8 bits.
        return np.rint(pixels / 257).astype(np.uint8)
    linear = resize_image(decode_srgb(dequantize(pixels)), height, width)
    return np.rint(255 * np.clip(encode_srgb(linear), 0, 1)).astype(np.uint8)


def shrunk_mask(valid: np.ndarray, side: int) -> np.ndarray:
    """uint8 [1, H, W], 1 is valid => bool [h, w], `side` on the longer side."""
    return resize_mask(valid[0] == 1, *_within(side, *valid.shape[1:]))


def shrunk_map(stored: np.ndarray, side: int) -> np.ndarray:
    """uint16 [1, H, W] => float32 [h, w] in [0, 1], `side` on the longer side; plain averages."""
    plane = dequantize(stored).transpose(1, 2, 0)
    return resize_image(plane, *_within(side, *plane.shape[:2]))[..., 0]


def _within(side: int, height: int, width: int) -> tuple[int, int]:
    """The size, pixels, that a picture is shown in: as it is, or with `side` on its longer side."""
    longer = max(height, width, side)
    return max(1, round(height * side / longer)), max(1, round(width * side / longer))


def error_of(prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Absolute difference of two uint8 [H, W, 3], mean of the channels, [H, W] in [0, 1]."""
    return np.abs(prediction.astype(np.float32) - truth.astype(np.float32)).mean(axis=-1) / 255


def error_picture(error: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Error or uncertainty, [H, W] in [0, 1] => uint8 [H, W, 3]: colours up to `ERROR_LIMIT`,
    hatched where not valid."""
    return hatched(coloured(error / ERROR_LIMIT), valid)


def hatched(picture: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """A copy of uint8 [H, W, 3] with grey diagonals where `valid`, bool [H, W], is false."""
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
