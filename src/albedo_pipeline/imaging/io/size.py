"""Size of an image file, from its header."""

from pathlib import Path

from albedo_pipeline.imaging.io.npy import read_npy_size
from albedo_pipeline.imaging.io.source import open_source


def read_size(path: Path) -> tuple[int, int] | None:
    """Height and width in pixels, as stored; None if the header cannot be read."""
    try:
        if path.suffix.lower() == ".npy":
            return read_npy_size(path)
        with open_source(path) as source:
            spec = source.spec()
    except (OSError, ValueError):
        return None
    if path.suffix.lower() in (".exr", ".sxr"):  # other formats have no display window
        return spec.full_height, spec.full_width
    return spec.height, spec.width
