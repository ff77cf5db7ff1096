"""A contact sheet of stored images, for Kedro-Viz."""

import base64
import io
from collections.abc import Sequence

import numpy as np

from albedo_pipeline.shards.shards import Shards

SAMPLES, SIDE, GAP = 8, 96, 4
"""Number of samples, longer side of a picture, and space between pictures, both in pixels."""
IMAGES = ("beauty", "albedo", "prediction", "valid", "uncertainty")
"""Tensors that are images, in the order in which they are shown."""


def contact_sheet(shards: Shards) -> str:
    """Samples that are evenly spaced over the shards, one column each, as a base64-coded PNG.

    Images are stored sRGB-encoded and are shown as they are; a mask is white where it is valid.
    Larger images lose pixels, and no picture is stretched.
    """
    from PIL import Image

    names = [name for name in IMAGES if name in shards.tensor_names]
    rows = np.linspace(0, len(shards) - 1, min(SAMPLES, len(shards))).astype(int)
    columns = [[_picture(shards.tensor(name, int(row))) for name in names] for row in rows]
    file = io.BytesIO()
    Image.fromarray(_montage(columns)).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _picture(stored: np.ndarray) -> np.ndarray:
    """[C, H, W], uint16 or a mask in uint8 => uint8 [h, w, 3], at most `SIDE` pixels long."""
    step = -(-max(stored.shape[1:]) // SIDE)
    pixels = stored[:, ::step, ::step].transpose(1, 2, 0)
    # 65535 = 257 * 255
    shown = 255 * pixels if pixels.dtype == np.uint8 else np.rint(pixels / 257)
    return np.broadcast_to(shown.astype(np.uint8), (*pixels.shape[:2], 3))


def _montage(columns: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Columns of pictures side by side on grey, uint8 [H, W, 3]; each picture keeps its shape."""
    height = max(len(picture) for column in columns for picture in column) + GAP
    width = max(picture.shape[1] for column in columns for picture in column) + GAP
    size = (len(columns[0]) * height + GAP, len(columns) * width + GAP, 3)
    sheet = np.full(size, 128, np.uint8)
    for i, column in enumerate(columns):
        for j, picture in enumerate(column):
            top, left = GAP + j * height, GAP + i * width
            sheet[top : top + len(picture), left : left + picture.shape[1]] = picture
    return sheet
