"""Size of an image file, from its header."""

from pathlib import Path

import numpy as np


def read_size(path: Path) -> tuple[int, int] | None:
    """Height and width in pixels, as stored; None if the header cannot be read."""
    import OpenImageIO as oiio

    try:
        if path.suffix.lower() == ".npy":
            height, width = np.load(path, mmap_mode="r").shape[:2]
            return int(height), int(width)
        source = oiio.ImageInput.open(str(path)) if path.is_file() else None
    except (OSError, ValueError, EOFError):
        return None
    if source is None:
        oiio.geterror()  # read, so that it is not reported for the next file
        return None
    spec = source.spec()
    source.close()
    if path.suffix.lower() in (".exr", ".sxr"):  # other formats have no display window
        return spec.full_height, spec.full_width
    return spec.height, spec.width
