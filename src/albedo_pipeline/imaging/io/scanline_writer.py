"""Writing large images a few rows at a time, through OpenImageIO."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from albedo_pipeline.imaging.io.source import writable_name
from albedo_pipeline.imaging.resize import strips

_COLOUR_SPACES = {".exr": "lin_rec709", ".png": "sRGB"}


def write_rows(path: Path, rows_of: Callable[[slice], np.ndarray], height: int, width: int) -> None:
    """Write an image of red, green and blue whose rows are computed while it is written.

    Args:
        path: `.exr`, written as half floats with ZIP compression; or `.png`, written with 8 bits
            and marked as sRGB-encoded.
        rows_of: gives some rows, [h, width, 3]; float16 or float32 for EXR, uint8 for PNG.
        height: height of the image, in pixels.
        width: width of the image, in pixels.

    Raises:
        OSError: if the file cannot be written; the message names it.
    """
    import OpenImageIO as oiio

    is_exr = path.suffix == ".exr"
    spec = oiio.ImageSpec(width, height, 3, oiio.HALF if is_exr else oiio.UINT8)
    spec.attribute("oiio:ColorSpace", _COLOUR_SPACES[path.suffix])
    if is_exr:
        spec.attribute("compression", "zip")
        spec.attribute("DateTime", "")  # else the current time makes equal images differ in bytes
    output = oiio.ImageOutput.create(writable_name(path))
    if output is None:
        raise OSError(f"{path}: {oiio.geterror()}")
    written = output.open(writable_name(path), spec)
    for rows in strips(height, width):
        pixels = np.ascontiguousarray(rows_of(rows))
        written = written and output.write_scanlines(rows.start, rows.stop, 0, pixels)
    if not (written and output.close()):
        raise OSError(f"{path}: {output.geterror()}")
