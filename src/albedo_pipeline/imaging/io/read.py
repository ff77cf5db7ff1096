"""Reading image files through OpenImageIO: colour images and masks, channels chosen by name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from albedo_pipeline.imaging.io.channels import (
    ChannelChoice,
    Part,
    choose_channel,
    choose_colour,
    choose_mask,
)
from albedo_pipeline.imaging.io.display_window import (
    check_size,
    fit_display_window,
    turn_upright,
)
from albedo_pipeline.imaging.io.npy import read_npy
from albedo_pipeline.imaging.io.source import open_source, reason_of
from albedo_pipeline.imaging.pixels import as_float32

if TYPE_CHECKING:
    from OpenImageIO import ImageInput, ImageSpec

OPAQUE = 0.999
"""Smallest alpha of an opaque pixel; an alpha of 1 stays above it as a half float and in 8 bits."""

_CMYK = ("CMYK", "YCCK")


@dataclass(frozen=True)
class ColourImage:
    """The colours of an image file, as stored."""

    pixels: np.ndarray
    """Red, green and blue, [H, W, 3]; may be a view. float16 if the file has half floats, else
    float32; integer formats are scaled to [0, 1]."""
    present: np.ndarray | None
    """bool [H, W], false where the file is transparent or holds no pixel; None if it is true
    everywhere."""
    type: str
    """Type of the file's own pixels: uint8, uint16, half, float, …"""
    attributes: dict[str, str] = field(default_factory=dict)
    """Text attributes of the file."""


def read_colour(path: Path, max_pixels: int, layer: str | None = None) -> ColourImage:
    """Read the red, green and blue of an image file or `.npy`, on its display window.

    Colours are not converted, and NaN, infinities and negative values are kept. Straight alpha, as
    in PNG, is not multiplied into the colours; colours that are stored multiplied by alpha, as in
    EXR, stay so. Of a file with several parts (EXR), the one that holds the layer is read; of a
    file with several pages, the first.

    Args:
        path: any format that OpenImageIO opens, or an array [H, W, 3 or 4].
        max_pixels: limit for the data window and for the display window, checked before memory is
            allocated.
        layer: prefix of the channels (`layer.R`), or name of the EXR part that holds R, G and B;
            None or "" reads the plain R, G and B.

    Raises:
        ValueError: "path: reason", if the file is missing, damaged, too large or CMYK, or does not
            hold red, green and blue exactly once.
    """
    with _errors_with_path(path):
        if path.suffix.lower() == ".npy":
            array, type_name = read_npy(path, max_pixels)
            if array.shape[2] not in (3, 4):
                raise ValueError(f"{array.shape[2]} channel(s), expected red, green and blue")
            return ColourImage(array[..., :3], _opaque(array), type_name)
        image = _read(path, lambda parts: choose_colour(parts, layer or ""), max_pixels)
        has_alpha = image.pixels.shape[2] == 4  # which is 0 where there is no data
        present = _opaque(image.pixels) if has_alpha else image.covered
        attributes = _text_attributes(image.spec)
        return ColourImage(image.pixels[..., :3], present, image.type, attributes)


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
        return as_float32(_read(path, choose, max_pixels).pixels)


@contextmanager
def _errors_with_path(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:
        reason = error.strerror or "cannot be read" if isinstance(error, OSError) else error
        raise ValueError(f"{path}: {reason}") from error


@dataclass(frozen=True)
class _Channels:
    """The chosen channels of a file, on its display window."""

    pixels: np.ndarray
    """float16 or float32 [H, W, C]; 0 where there is no data."""
    covered: np.ndarray | None
    type: str
    spec: "ImageSpec"


def _read(
    path: Path,
    choose: Callable[[list[Part]], ChannelChoice],
    max_pixels: int,
) -> _Channels:
    with open_source(path) as source:
        chosen = choose(_parts(source))
        spec = source.spec(chosen.part, 0)
        check_size(spec.width, spec.height, max_pixels)
        # Other formats have positions, such as a scan's place on its page, but no display window.
        has_windows = source.format_name() == "openexr"
        if has_windows:
            check_size(spec.full_width, spec.full_height, max_pixels)
        pixels = _read_pixels(path, source, spec, chosen)
    type_name = str(spec.channelformat(chosen.channels[0]))
    if not has_windows:
        orientation = spec.get_int_attribute("Orientation", 1)
        return _Channels(turn_upright(pixels, orientation), None, type_name, spec)
    top, left = spec.y - spec.full_y, spec.x - spec.full_x
    pixels, covered = fit_display_window(pixels, top, left, spec.full_height, spec.full_width)
    return _Channels(pixels, covered, type_name, spec)


def _parts(source: "ImageInput") -> list[Part]:
    """All parts of an EXR; of a format with pages, the first."""
    first = source.spec(0, 0)
    count = first.get_int_attribute("oiio:subimages", 1)
    specs = [first]
    if source.format_name() == "openexr":
        specs += [source.spec(i, 0) for i in range(1, count)]
    return [Part(s.get_string_attribute("oiio:subimagename"), s.channelnames) for s in specs]


def _read_pixels(
    path: Path, source: "ImageInput", spec: "ImageSpec", chosen: ChannelChoice
) -> np.ndarray:
    """[h, w, channels] of the data window; float16 if the file has half floats, else float32."""
    import OpenImageIO as oiio

    if spec.deep:
        raise ValueError("deep pixels, expected a flat image")
    spaces = [spec.get_string_attribute(f"{name}:ColorSpace") for name in ("jpeg", "tiff")]
    if any(space in _CMYK for space in spaces):  # OpenImageIO converts them without a profile
        raise ValueError("CMYK colours, expected red, green and blue")
    first, end = min(chosen.channels), max(chosen.channels) + 1
    types = {spec.channelformat(channel).basetype for channel in chosen.channels}
    # Half floats are kept: they take half the memory and three quarters of the time to read.
    pixel_type = oiio.HALF if types == {oiio.HALF} else oiio.FLOAT
    pixels = source.read_image(chosen.part, 0, first, end, pixel_type)
    # For a JPEG that is cut off, OpenImageIO returns grey pixels and only sets its error.
    error = source.geterror()
    if pixels is None or error:
        raise ValueError(f"{reason_of(error, path)}: damaged or cut off")
    pixels = pixels.reshape(spec.height, spec.width, end - first)
    order = [channel - first for channel in chosen.channels]
    return pixels if order == list(range(end - first)) else pixels[..., order]


def _opaque(pixels: np.ndarray) -> np.ndarray | None:
    """Where the alpha of [H, W, 3 or 4] is (nearly) 1; None if it is so everywhere."""
    if pixels.shape[2] == 3:
        return None
    alpha = as_float32(pixels[..., 3])
    return None if alpha.min() >= OPAQUE else alpha >= OPAQUE


def _text_attributes(spec: "ImageSpec") -> dict[str, str]:
    import OpenImageIO as oiio

    return {a.name: str(a.value) for a in spec.extra_attribs if a.type == oiio.TypeString}
