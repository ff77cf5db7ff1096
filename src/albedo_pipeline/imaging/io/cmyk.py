"""CMYK files => sRGB, by their ICC profile."""

from pathlib import Path

import numpy as np

from albedo_pipeline.imaging.io.colour_conversion import littlecms_to_srgb
from albedo_pipeline.imaging.io.colour_tags import ColourTag

_DONE = "CMYK by its ICC profile, converted in 8 bits"


def read_cmyk(path: Path, format_name: str) -> tuple[np.ndarray, ColourTag]:
    """Read a CMYK JPEG or TIFF as sRGB, float32 [H, W, 3] in [0, 1], and what was done.

    OpenImageIO converts CMYK without its profile, so Pillow reads the inks and LittleCMS converts
    them, relative colorimetric, in 8 bits.

    Args:
        path: the file; its size must be checked before.
        format_name: OpenImageIO's name of the format.

    Raises:
        ValueError: if there is no CMYK profile, or the file is of another format; the message is
            the reason.
    """
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.TiffImagePlugin import TiffImageFile

    readers = {"jpeg": JpegImageFile, "tiff": TiffImageFile}
    if format_name not in readers:
        raise ValueError(f"CMYK colours in a {format_name} file; convert it to RGB")
    try:
        with readers[format_name](path) as file:
            profile, codes = file.info.get("icc_profile"), np.asarray(file)
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"CMYK colours that Pillow cannot read ({error})") from error
    if not profile or profile[16:20] != b"CMYK":
        raise ValueError(
            "CMYK colours, expected red, green and blue; there is no CMYK profile to convert by"
        )
    if codes.dtype != np.uint8 or codes.ndim != 3 or codes.shape[2] != 4:
        raise ValueError("CMYK colours that are not four inks of 8 bits; convert the file to RGB")
    return littlecms_to_srgb(codes, profile), ColourTag(_DONE, "srgb_rec709_scene")
