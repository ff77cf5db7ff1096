"""Writing large pictures a few rows at a time, through OpenImageIO."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from albedo_pipeline.imaging.resize import strips

_SPACES = {".exr": "lin_rec709", ".png": "sRGB"}


def write_rows(path: Path, rows_of: Callable[[slice], np.ndarray], height: int, width: int) -> None:
    """Write a picture of red, green and blue whose rows are made when they are wanted.

    Args:
        path: `.exr`, which gets half floats, ZIP-compressed; or `.png`, which gets 8 bits and is
            marked as sRGB-encoded.
        rows_of: rows => [h, width, 3]; float16 or float32 for EXR, uint8 for PNG.

    Raises:
        OSError: where the file cannot be written; names it.
    """
    import OpenImageIO as oiio

    is_exr = path.suffix == ".exr"
    spec = oiio.ImageSpec(width, height, 3, oiio.HALF if is_exr else oiio.UINT8)
    spec.attribute("oiio:ColorSpace", _SPACES[path.suffix])
    if is_exr:
        spec.attribute("compression", "zip")
        spec.attribute("DateTime", "")  # or the hour is written: other bytes for the same pixels
    target = oiio.ImageOutput.create(str(path))
    if target is None:
        raise OSError(f"{path}: {oiio.geterror()}")
    written = target.open(str(path), spec)
    for rows in strips(height, width):
        pixels = np.ascontiguousarray(rows_of(rows))
        written = written and target.write_scanlines(rows.start, rows.stop, 0, pixels)
    if not (written and target.close()):
        raise OSError(f"{path}: {target.geterror()}")
