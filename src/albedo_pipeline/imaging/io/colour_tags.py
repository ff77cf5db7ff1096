"""What an image file says about its colours: ICC profile, chromaticities, colour ids."""

import atexit
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from OpenImageIO import ColorConfig, ImageSpec

CONFIG = "ocio://default"
"""The configuration of OpenColorIO that ships with OpenImageIO, whatever `$OCIO` says."""
LINEAR_REC709 = "lin_rec709_scene"
"""OpenColorIO's name of linear Rec.709."""
CMYK, LAB = "CMYK", "Lab"
"""Colour models that are not RGB."""

_CHROMATICITY_TOLERANCE = 0.002
"""Largest difference of x or y between the same chromaticities: files round them to 3 digits."""
_SRGB_GAMMA = 0.45455
"""The gAMA that stands for sRGB in a PNG without the chunk sRGB (PNG specification, 11.3.2)."""
_LOG_TRANSFERS = ("Printing density", "Logarithmic", "ADX")
_NO_COLOUR = ("data", "unknown")
"""Colour ids of pixels without a known colour; the file counts as untagged."""
_LAB_PHOTOMETRIC, _CMYK_PHOTOMETRIC = (8, 9, 10), 5
_PSD_CMYK = 4


@dataclass(frozen=True)
class ColourTag:
    """What a file says about its colours."""

    label: str
    """Kind and content, for messages: `ICC profile (Display P3)`."""
    space: str = ""
    """OpenColorIO's name of the colour space; empty if the profile describes it."""
    gamma: float = 1.0
    """Exponent that makes the values linear in `space`."""
    profile: bytes = b""
    """The ICC profile."""
    problem: str = ""
    """Why colours cannot be converted by the tag; empty if they can."""


@cache
def config() -> "ColorConfig":
    """OpenColorIO's built-in configuration."""
    import OpenImageIO as oiio

    return oiio.ColorConfig(CONFIG)


atexit.register(config.cache_clear)
"""OpenImageIO reports a configuration that is still held at exit as a leak, on the terminal."""


def colour_model(path: Path, spec: "ImageSpec", format_name: str) -> str:
    """`CMYK` or `Lab`, if the file stores no RGB, which OpenImageIO converts without a profile."""
    photometric = spec.get_int_attribute("tiff:PhotometricInterpretation", -1)
    if photometric in _LAB_PHOTOMETRIC:
        return LAB
    is_cmyk = (
        photometric == _CMYK_PHOTOMETRIC
        or spec.get_string_attribute("jpeg:ColorSpace") in ("CMYK", "YCCK")
        or (format_name == "psd" and _psd_mode(path) == _PSD_CMYK)
    )
    return CMYK if is_cmyk else ""


def read_tag(path: Path, spec: "ImageSpec", format_name: str, is_grey: bool) -> ColourTag | None:
    """The tag that decides, or None if the file has none.

    A colour id comes before a profile, and a profile before chromaticities and gamma, as the
    specifications of PNG and OpenEXR order them.

    Args:
        path: the file.
        spec: of the part that is read.
        format_name: OpenImageIO's name of the format.
        is_grey: whether the pixels are one channel, replicated.
    """
    if format_name == "cineon":
        return ColourTag("Cineon", problem="log-encoded")
    cicp = spec.getattribute("CICP")
    if cicp is not None:
        return _cicp_tag([int(code) for code in cicp])
    colour_id = spec.get_string_attribute("colorInteropID")
    if colour_id and colour_id not in _NO_COLOUR:
        is_known = colour_id in _known_ids() or config().get_cicp(colour_id) is not None
        problem = "" if is_known else "unknown to OpenColorIO"
        return ColourTag(f"colorInteropID {colour_id}", colour_id, problem=problem)
    profile = spec.getattribute("ICCProfile")
    if profile is not None:
        name = spec.get_string_attribute("ICCProfile:profile_description").strip() or "unnamed"
        return _profile_tag(bytes(np.asarray(profile, np.uint8)), name, is_grey)
    chromaticities = spec.getattribute("chromaticities")
    if chromaticities is not None:
        return _linear_tag("chromaticities", [float(value) for value in chromaticities])
    if format_name == "dpx":
        return _dpx_tag(spec.get_string_attribute("dpx:Transfer"))
    return _png_tag(path) if format_name == "png" else None


def _cicp_tag(codes: list[int]) -> ColourTag:
    label = f"cICP {'-'.join(map(str, codes))}"
    colour_id = config().get_color_interop_id(codes)
    if not codes[3]:
        return ColourTag(label, problem="values in video range")
    return ColourTag(label, colour_id, problem="" if colour_id else "unknown to OpenColorIO")


@cache
def _known_ids() -> frozenset[str]:
    names = config().getColorSpaceNames()
    aliases = (alias for name in names for alias in config().getAliases(name))
    return frozenset((*names, *aliases)) - {"data"}


def _profile_tag(profile: bytes, name: str, is_grey: bool) -> ColourTag:
    space = profile[16:20].decode("ascii", "replace").strip()
    is_usable = space == "RGB" or (space == "GRAY" and is_grey)
    problem = "" if is_usable else f"a profile of {space or 'no'} colours"
    return ColourTag(f"ICC profile ({name})", profile=profile, problem=problem)


def _linear_tag(label: str, chromaticities: list[float], gamma: float = 1.0) -> ColourTag:
    """Tag of the linear colour space with these chromaticities, raised to 1 / gamma."""
    values = ", ".join(f"{value:.4g}" for value in chromaticities)
    for name in filter(config().isColorSpaceLinear, config().getColorSpaceNames()):
        known = config().get_chromaticities(name)
        if known and np.allclose(known, chromaticities, 0, _CHROMATICITY_TOLERANCE):
            return ColourTag(f"{label} ({name})", name, gamma)
    problem = "those of no colour space that OpenColorIO knows"
    return ColourTag(f"{label} ({values})", problem=problem)


def _dpx_tag(transfer: str) -> ColourTag | None:
    if transfer in _LOG_TRANSFERS:
        return ColourTag(f"DPX transfer {transfer}", problem="log-encoded")
    return ColourTag("DPX transfer Linear", LINEAR_REC709) if transfer == "Linear" else None


def _png_tag(path: Path) -> ColourTag | None:
    """sRGB, or gAMA with cHRM, which OpenImageIO does not read. cHRM alone is no tag."""
    from PIL.PngImagePlugin import PngImageFile

    try:
        with PngImageFile(path) as file:
            info = file.info
    except (OSError, SyntaxError, ValueError):  # an ancillary chunk that only Pillow refuses
        return None
    if "srgb" in info:
        return ColourTag("PNG chunk sRGB", "srgb_rec709_scene")
    gamma = info.get("gamma")
    if not gamma:
        return None
    white_first = info.get("chromaticity") or (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
    tag = _linear_tag(
        f"PNG gAMA {gamma:g} and cHRM", [*white_first[2:], *white_first[:2]], 1 / gamma
    )
    is_srgb = tag.space == "Linear Rec.709 (sRGB)" and abs(gamma - _SRGB_GAMMA) < 0.0005
    return ColourTag(f"PNG gAMA {gamma:g} for sRGB", "srgb_rec709_scene") if is_srgb else tag


def _psd_mode(path: Path) -> int:
    with path.open("rb") as file:
        return int.from_bytes(file.read(26)[24:26], "big")
