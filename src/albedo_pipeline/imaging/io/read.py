"""Reading image files through OpenImageIO: colour images and masks, channels chosen by name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from albedo_pipeline.imaging.colour import ColourSpace
from albedo_pipeline.imaging.declarations import AUTO, ColourNotes, ReadOptions
from albedo_pipeline.imaging.io.channels import (
    GREY_HINT,
    choose_channel,
    choose_colour,
    choose_mask,
)
from albedo_pipeline.imaging.io.file_channels import FileChannels, read_channels
from albedo_pipeline.imaging.io.interpretation import interpret
from albedo_pipeline.imaging.io.npy import read_npy
from albedo_pipeline.imaging.pixels import as_float32

OPAQUE = 0.999
"""Smallest alpha of an opaque pixel; an alpha of 1 stays above it as a half float and in 8 bits."""


@dataclass(frozen=True)
class ColourImage:
    """The colours of an image file."""

    pixels: np.ndarray
    """Red, green and blue in `space`, [H, W, 3]; may be a view. As stored, they are float16 if the
    file has half floats, else float32; integer formats are scaled to [0, 1]. Converted colours are
    float32."""
    present: np.ndarray | None
    """bool [H, W], false where the file is transparent or holds no pixel; None if it is true
    everywhere."""
    type: str
    """Type of the file's own pixels: uint8, uint16, half, float, …"""
    attributes: dict[str, str] = field(default_factory=dict)
    """Text attributes of the file."""
    space: ColourSpace = "linear"
    notes: ColourNotes = field(default_factory=ColourNotes)
    """How the colour space was found."""


def read_colour(
    path: Path, max_pixels: int, layer: str | None = None, options: ReadOptions = AUTO
) -> ColourImage:
    """Read the red, green and blue of an image file or `.npy`, on its display window.

    Colours are kept as stored, with NaN, infinities and negative values, unless the space is `auto`
    and a tag of the file names a colour space that is none of the project's: then they are
    converted to Rec.709. Straight alpha, as in PNG, is not multiplied into the colours; colours
    that are stored multiplied by alpha, as in EXR, stay so. Of a file with several parts (EXR), the
    one that holds the layer is read; of a file with several pages, the first.

    Args:
        path: any format that OpenImageIO opens, or an array [H, W, 3 or 4] ([H, W], [H, W, 1 or 2]
            if it is grey).
        max_pixels: limit for the data window and for the display window, checked before memory is
            allocated.
        layer: prefix of the channels (`layer.R`), or name of the EXR part that holds R, G and B;
            None or "" reads the plain R, G and B.
        options: what the user declares.

    Raises:
        ValueError: "path: reason", if the file is missing, damaged or too large, does not hold red,
            green and blue exactly once, has an alpha that is 0 everywhere, or has colours that
            cannot be converted (Lab, CMYK without a profile, logarithms, an unknown tag).
    """
    with _errors_with_path(path):
        uses_alpha = options.alpha == "mask"
        if path.suffix.lower() == ".npy":
            image = _npy_channels(path, max_pixels, options.grey)
        else:
            image = read_channels(
                path,
                lambda parts: choose_colour(parts, layer or "", options.grey, uses_alpha),
                max_pixels,
                cmyk_by_profile=options.space == "auto",
            )
        has_alpha = image.pixels.shape[2] == 4 and uses_alpha
        # Where an EXR holds no data, its alpha is 0.
        present = _opaque(image.pixels[..., 3]) if has_alpha else image.covered
        colours = interpret(image.pixels[..., :3], image.type, image.tag, options.space)
        return ColourImage(
            colours.pixels, present, image.type, image.attributes, colours.space, colours.notes
        )


def read_mask(path: Path, max_pixels: int, channel: str | None = None) -> np.ndarray:
    """Read a mask from an image file or `.npy`, float32 [H, W, 1 to 4], on its display window.

    Alpha is ignored, unless it is the only channel. Integer formats are scaled to [0, 1], and
    pixels without data are 0.

    Args:
        path: any format that OpenImageIO opens, or an array [H, W] or [H, W, 1 to 4].
        max_pixels: as for `read_colour`.
        channel: name of the one channel to read, in any part of the file.

    Raises:
        ValueError: "path: reason", if the file is missing, damaged, too large or CMYK, or has more
            channels.
    """
    with _errors_with_path(path):
        if path.suffix.lower() == ".npy":
            return read_npy(path, max_pixels)[0]
        choose = (lambda parts: choose_channel(parts, channel)) if channel else choose_mask
        return as_float32(read_channels(path, choose, max_pixels).pixels)


@contextmanager
def _errors_with_path(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:
        reason = error.strerror or "cannot be read" if isinstance(error, OSError) else error
        raise ValueError(f"{path}: {reason}") from error


def _npy_channels(path: Path, max_pixels: int, grey: bool) -> FileChannels:
    array, type_name = read_npy(path, max_pixels)
    channels = array.shape[2]
    if channels in (1, 2) and grey:
        array = array[..., [0, 0, 0, 1][: channels + 2]]
    elif channels not in (3, 4):
        hint = GREY_HINT if channels == 1 else ""
        raise ValueError(f"{channels} channel(s), expected red, green and blue{hint}")
    return FileChannels(array, None, type_name, {}, None)


def _opaque(alpha: np.ndarray) -> np.ndarray | None:
    """Where alpha [H, W] is (nearly) 1; None if it is so everywhere.

    Raises:
        ValueError: if it is 0 everywhere.
    """
    alpha = as_float32(alpha)
    if alpha.min() >= OPAQUE:
        return None
    if not alpha.any():
        raise ValueError(
            "alpha is 0 everywhere, so no pixel is visible; if it is no coverage, set the reader's "
            "option alpha, or predict.alpha, to ignore"
        )
    return alpha >= OPAQUE
