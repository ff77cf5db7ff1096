"""Writing image files, through OpenImageIO."""

from pathlib import Path

import numpy as np


def write_exr(path: Path, pixels: np.ndarray, attributes: dict[str, str], half: bool) -> None:
    """Write [H, W, C] float32 (C = 1: Y, C = 3: R, G, B) as a ZIP-compressed EXR.

    Raises:
        OSError: where the file cannot be written; names it.
    """
    import OpenImageIO as oiio

    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, oiio.HALF if half else oiio.FLOAT)
    spec.channelnames = ("Y",) if channels == 1 else ("R", "G", "B")
    spec.attribute("compression", "zip")
    spec.attribute("DateTime", "")  # or the hour is written: other bytes for the same pixels
    for name, value in attributes.items():
        spec.attribute(name, value)
    target = oiio.ImageOutput.create(str(path))
    written = (
        target is not None
        and target.open(str(path), spec)
        and target.write_image(np.ascontiguousarray(pixels, dtype=np.float32))
        and target.close()
    )
    if not written:
        raise OSError(f"{path}: {target.geterror() if target else oiio.geterror()}")


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write [H, W, 3] uint8, sRGB-encoded, as PNG; makes its folder.

    Raises:
        OSError: where the file cannot be written; names it.
    """
    import OpenImageIO as oiio

    path.parent.mkdir(parents=True, exist_ok=True)
    image = oiio.ImageBuf(np.ascontiguousarray(pixels))
    if not image.write(str(path)):
        raise OSError(f"{path}: {image.geterror()}")
