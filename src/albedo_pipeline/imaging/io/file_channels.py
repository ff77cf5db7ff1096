"""Reading chosen channels of an image file through OpenImageIO, on its display window."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from albedo_pipeline.imaging.io.channels import ChannelChoice, Part
from albedo_pipeline.imaging.io.cmyk import read_cmyk
from albedo_pipeline.imaging.io.colour_tags import CMYK, ColourTag, colour_model, read_tag
from albedo_pipeline.imaging.io.display_window import (
    check_size,
    fit_display_window,
    turn_upright,
)
from albedo_pipeline.imaging.io.source import open_source, reason_of

if TYPE_CHECKING:
    from OpenImageIO import ImageInput, ImageSpec


@dataclass(frozen=True)
class FileChannels:
    """The chosen channels of a file, on its display window."""

    pixels: np.ndarray
    """float16 or float32 [H, W, C], or the file's own type; 0 where there is no data."""
    covered: np.ndarray | None
    """bool [H, W], false where there is no data; None if there is data everywhere."""
    type: str
    """Type of the file's own pixels: uint8, uint16, half, float, …"""
    attributes: dict[str, str]
    """Text attributes of the file."""
    tag: ColourTag | None
    """What the file says about its colours."""


def read_channels(
    path: Path,
    choose: Callable[[list[Part]], ChannelChoice],
    max_pixels: int,
    cmyk_by_profile: bool = False,
    as_stored: bool = False,
) -> FileChannels:
    """Read channels of a file.

    Args:
        path: any format that OpenImageIO opens.
        choose: chooses the part and the channels.
        max_pixels: limit for the data window and for the display window.
        cmyk_by_profile: whether CMYK colours are converted to sRGB by their profile; else they are
            refused.
        as_stored: whether pixels keep the file's own type. Else integers are scaled to [0, 1].

    Raises:
        ValueError: if the file cannot be used; the message is the reason, without the path.
    """
    with open_source(path) as source:
        chosen = choose(_parts(source))
        spec = source.spec(chosen.part, 0)
        check_size(spec.width, spec.height, max_pixels)
        format_name = source.format_name()
        # Other formats have positions, such as a scan's place on its page, but no display window.
        has_windows = format_name == "openexr"
        if has_windows:
            check_size(spec.full_width, spec.full_height, max_pixels)
        model = colour_model(path, spec, format_name)
        tag: ColourTag | None
        if model == CMYK and cmyk_by_profile:
            pixels, tag = read_cmyk(path, format_name)
        elif model:
            hint = "; with colour_space auto their ICC profile is used" if model == CMYK else ""
            raise ValueError(f"{model} colours, expected red, green and blue{hint}")
        else:
            pixels = _read_pixels(path, source, spec, chosen, as_stored)
            tag = read_tag(path, spec, format_name, is_grey=chosen.is_grey)
    type_name, attributes = str(spec.channelformat(chosen.channels[0])), _text_attributes(spec)
    if not has_windows:
        upright = turn_upright(pixels, spec.get_int_attribute("Orientation", 1))
        return FileChannels(upright, None, type_name, attributes, tag)
    top, left = spec.y - spec.full_y, spec.x - spec.full_x
    pixels, covered = fit_display_window(pixels, top, left, spec.full_height, spec.full_width)
    return FileChannels(pixels, covered, type_name, attributes, tag)


def _parts(source: "ImageInput") -> list[Part]:
    """All parts of an EXR; of a format with pages, the first."""
    first = source.spec(0, 0)
    count = first.get_int_attribute("oiio:subimages", 1)
    specs = [first]
    if source.format_name() == "openexr":
        specs += [source.spec(i, 0) for i in range(1, count)]
    return [Part(s.get_string_attribute("oiio:subimagename"), s.channelnames) for s in specs]


def _read_pixels(
    path: Path, source: "ImageInput", spec: "ImageSpec", chosen: ChannelChoice, as_stored: bool
) -> np.ndarray:
    """[h, w, channels] of the data window; float16 if the file has half floats, else float32, or
    the type of the file."""
    import OpenImageIO as oiio

    if spec.deep:
        raise ValueError("deep pixels, expected a flat image")
    first, end = min(chosen.channels), max(chosen.channels) + 1
    types = {spec.channelformat(channel).basetype for channel in chosen.channels}
    # Half floats are kept: they take half the memory and three quarters of the time to read.
    pixel_type = oiio.HALF if types == {oiio.HALF} else oiio.FLOAT
    if as_stored:
        pixel_type = spec.channelformat(first).basetype
    pixels = source.read_image(chosen.part, 0, first, end, pixel_type)
    # For a JPEG that is cut off, OpenImageIO returns grey pixels and only sets its error.
    error = source.geterror()
    if pixels is None or error:
        raise ValueError(f"{reason_of(error, path)}: damaged or cut off")
    pixels = pixels.reshape(spec.height, spec.width, end - first)
    order = [channel - first for channel in chosen.channels]
    return pixels if order == list(range(end - first)) else pixels[..., order]


def _text_attributes(spec: "ImageSpec") -> dict[str, str]:
    import OpenImageIO as oiio

    return {a.name: str(a.value) for a in spec.extra_attribs if a.type == oiio.TypeString}
