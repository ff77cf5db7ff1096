"""Writing large images a few rows at a time, through OpenImageIO."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from albedo_pipeline.imaging.colour import ColourSpace
from albedo_pipeline.imaging.io.colour_tags import config
from albedo_pipeline.imaging.io.source import writable_name
from albedo_pipeline.imaging.resize import strips

PixelType = Literal["half", "uint8", "uint16"]
"""Type of the pixels in a file."""
_INTEROP_IDS = {
    "linear": "lin_rec709_scene",
    "acescg": "lin_ap1_scene",
    "srgb": "srgb_rec709_scene",
}
"""Colour spaces by the names that OpenImageIO, OpenColorIO and OpenEXR share."""
_DESCRIPTIONS = {"linear": "linear Rec.709", "acescg": "ACEScg (linear AP1)", "srgb": "sRGB"}
"""Text in a TIFF, which has no tag for a linear colour space but an ICC profile."""


def write_rows(
    path: Path,
    rows_of: Callable[[slice], np.ndarray],
    height: int,
    width: int,
    space: ColourSpace,
    pixel_type: PixelType,
) -> None:
    """Write an image of red, green and blue whose rows are computed while it is written.

    The file names its colour space: an EXR by the attributes `chromaticities` and
    `colorInteropID`, a PNG by its chunk sRGB or gAMA, a TIFF by its description, and by an Exif tag
    if it is sRGB-encoded.

    Args:
        path: `.exr`, `.png` or `.tif`. EXR and TIFF are written with ZIP compression.
        rows_of: gives some rows in `space`, [h, width, 3]: float16 or float32 for half floats,
            otherwise `pixel_type`.
        height: height of the image, in pixels.
        width: width of the image, in pixels.
        space: colour space of the rows.
        pixel_type: type of the pixels in the file; `half` for EXR, integers for the others.

    Raises:
        OSError: if the file cannot be written; the message names it.
    """
    import OpenImageIO as oiio

    spec = oiio.ImageSpec(width, height, 3, pixel_type)
    spec.attribute("oiio:ColorSpace", _INTEROP_IDS[space])
    if path.suffix != ".png":
        spec.attribute("compression", "zip")
        spec.attribute("DateTime", "")  # else the current time makes equal images differ in bytes
    if path.suffix == ".exr":
        spec.attribute("chromaticities", oiio.TypeDesc("float[8]"), _chromaticities(space))
    if path.suffix == ".tif":
        spec.attribute("ImageDescription", _DESCRIPTIONS[space])
    output = oiio.ImageOutput.create(writable_name(path))
    if output is None:
        raise OSError(f"{path}: {oiio.geterror()}")
    written = output.open(writable_name(path), spec)
    for rows in strips(height, width):
        pixels = np.ascontiguousarray(rows_of(rows))
        written = written and output.write_scanlines(rows.start, rows.stop, 0, pixels)
    if not (written and output.close()):
        raise OSError(f"{path}: {output.geterror()}")


def _chromaticities(space: ColourSpace) -> tuple[float, ...]:
    """x and y of red, green, blue and white, from the configuration that OpenColorIO ships."""
    found = config().get_chromaticities(_INTEROP_IDS[space])
    assert found is not None  # the configuration names all of them
    return tuple(found)
