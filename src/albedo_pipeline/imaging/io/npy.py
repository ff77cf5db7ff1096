"""Reading `.npy` files as images."""

import math
from pathlib import Path
from typing import BinaryIO

import numpy as np

from albedo_pipeline.imaging.io.display_window import check_size
from albedo_pipeline.runtime.plain_files import check_plain_file

_PIXEL_TYPES = {
    "bool": "bool",
    "uint8": "uint8",
    "uint16": "uint16",
    "float16": "half",
    "float32": "float",
    "float64": "double",
}
"""Types of numbers that can be read, and their names as pixel types."""
_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
"""Header readers by version of the `.npy` format."""


def read_npy(path: Path, max_pixels: int) -> tuple[np.ndarray, str]:
    """Read an array [H, W] or [H, W, 1 to 4] as float32 [H, W, C], and the type of its numbers.

    uint8 and uint16 are scaled to [0, 1], and true becomes 1. Nothing is unpickled, and memory is
    allocated only if the header and the file's size agree.

    Args:
        path: the `.npy` file.
        max_pixels: largest H x W.

    Raises:
        ValueError: if it is missing, damaged, too large, or no image; the message is the reason.
        OSError: if it cannot be opened.
    """
    check_plain_file(path)
    with path.open("rb") as file:
        shape, is_fortran_order, dtype = _read_header(file)
        if dtype.name not in _PIXEL_TYPES:
            types = ", ".join(_PIXEL_TYPES)
            raise ValueError(f"numbers of type {dtype.name}, expected one of {types}")
        if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 2, 3, 4)):
            raise ValueError(f"an array of shape {shape}: not an image")
        check_size(shape[1], shape[0], max_pixels)
        count = math.prod(shape)
        if path.stat().st_size - file.tell() < count * dtype.itemsize:
            raise ValueError("damaged or cut off")
        numbers = np.fromfile(file, dtype, count)
    if len(numbers) != count:
        raise ValueError("damaged or cut off")
    array = numbers.reshape(shape, order="F" if is_fortran_order else "C")
    array = array.reshape(*shape[:2], -1).astype(np.float32, copy=False)
    if dtype.kind == "u":
        array /= np.iinfo(dtype).max
    return array, _PIXEL_TYPES[dtype.name]


def read_npy_size(path: Path) -> tuple[int, int]:
    """Height and width of the array, from its header.

    Raises:
        ValueError: if there is no such file, or no image in it; the message is the reason.
        OSError: if it cannot be opened.
    """
    check_plain_file(path)
    with path.open("rb") as file:
        height, width = _read_header(file)[0][:2]
    return height, width


def _read_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    try:
        return _HEADER_READERS[np.lib.format.read_magic(file)](file)
    except Exception as error:  # for a damaged header, NumPy raises errors of many kinds
        raise ValueError("not a .npy file, or a damaged one") from error
