"""Reading images of ids: one whole number per pixel, which names an entity or a material."""

from pathlib import Path

import numpy as np

from albedo_pipeline.imaging.io.channels import (
    ChannelChoice,
    Part,
    choose_channel,
    choose_mask,
)
from albedo_pipeline.imaging.io.file_channels import read_channels
from albedo_pipeline.imaging.io.npy import read_npy

_FULL_SCALE = {"uint8": 255, "uint16": 65535}
"""What `read_npy` divides integers by."""


def read_ids(path: Path, max_pixels: int, channel: str | None = None) -> np.ndarray:
    """Read ids as the file stores them, [H, W] of the file's own type, on its display window.

    Nothing is scaled: the id 7 of an 8-bit PNG is 7. Pixels without data have the id 0.

    Args:
        path: any format that OpenImageIO opens, or an array [H, W].
        max_pixels: limit for the data window and for the display window, checked before memory is
            allocated.
        channel: name of the channel, in any part of the file; None if there is only one.

    Raises:
        ValueError: "path: reason", if the file is missing, damaged or too large, or does not hold
            one channel of ids.
    """
    try:
        return (
            _read_array(path, max_pixels)
            if path.suffix.lower() == ".npy"
            else _read(path, max_pixels, channel)
        )
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or 'cannot be read'}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _read_array(path: Path, max_pixels: int) -> np.ndarray:
    array, type_name = read_npy(path, max_pixels)
    _check_one_channel(array.shape[2])
    return np.rint(array[..., 0] * _FULL_SCALE.get(type_name, 1))


def _read(path: Path, max_pixels: int, channel: str | None) -> np.ndarray:
    def choose(parts: list[Part]) -> ChannelChoice:
        chosen = choose_channel(parts, channel) if channel else choose_mask(parts)
        _check_one_channel(len(chosen.channels))
        return chosen

    # In its own type, because OpenImageIO scales integers when it converts them.
    return read_channels(path, choose, max_pixels, as_stored=True).pixels[..., 0]


def _check_one_channel(count: int) -> None:
    if count != 1:
        raise ValueError(f"{count} channels, expected one of ids (a palette has three)")
