"""Writing image files, through OpenImageIO."""

from pathlib import Path

import numpy as np

from albedo_pipeline.imaging.io.source import writable_name


def write_exr(path: Path, pixels: np.ndarray, attributes: dict[str, str], half: bool) -> None:
    """Write an EXR file with ZIP compression.

    Args:
        path: the file to write; its folder must exist.
        pixels: float32 [H, W, 1], written as channel Y, or [H, W, 3], written as R, G and B.
        attributes: text attributes of the file.
        half: whether to store half floats instead of floats.

    Raises:
        OSError: if the file cannot be written; the message names it.
    """
    import OpenImageIO as oiio

    name = writable_name(path)
    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, oiio.HALF if half else oiio.FLOAT)
    spec.channelnames = ("Y",) if channels == 1 else ("R", "G", "B")
    spec.attribute("compression", "zip")
    spec.attribute("DateTime", "")  # else the current time makes equal images differ in bytes
    for key, value in attributes.items():
        spec.attribute(key, value)
    output = oiio.ImageOutput.create(name)
    written = (
        output is not None
        and output.open(name, spec)
        and output.write_image(np.ascontiguousarray(pixels, dtype=np.float32))
        and output.close()
    )
    if not written:
        raise OSError(f"{path}: {output.geterror() if output else oiio.geterror()}")


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write [H, W, 3] uint8, sRGB-encoded, as PNG; the folder is made if it is missing.

    Raises:
        OSError: if the file cannot be written; the message names it.
    """
    import OpenImageIO as oiio

    path.parent.mkdir(parents=True, exist_ok=True)
    image = oiio.ImageBuf(np.ascontiguousarray(pixels))
    if not image.write(writable_name(path)):
        raise OSError(f"{path}: {image.geterror()}")
