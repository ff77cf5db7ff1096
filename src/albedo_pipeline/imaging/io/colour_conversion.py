"""Colours of a tagged file => Rec.709, by OpenColorIO; by LittleCMS for profiles with tables."""

import atexit
import hashlib
import io
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, get_args

import numpy as np

from albedo_pipeline.errors import one_line
from albedo_pipeline.imaging.colour import ColourSpace, encode_srgb, to_linear
from albedo_pipeline.imaging.io.colour_tags import CONFIG, LINEAR_REC709, ColourTag, config
from albedo_pipeline.imaging.pixels import as_float32

if TYPE_CHECKING:
    from OpenImageIO import ImageBuf

_ENCODED_REC709 = "srgb_rec709_scene"
_PCS = "lin_ciexyzd65_scene"
"""What OpenColorIO's ICC transform gives."""
_HDR = ("pq_", "hlg_")
"""Beginnings of the names of encoded colour spaces that go beyond white."""
_BLOCK = 1 << 22
"""Pixels that are converted at once: a call of OpenColorIO costs about 30 ms."""
_ROUNDING = -1e-4
"""Lower bound of what Rec.709 colours become by rounding."""
_SAME = 1.5 / 255
"""Largest difference of sRGB-encoded colours between two descriptions of one colour space."""
_written = Lock()


@dataclass(frozen=True)
class Converted:
    """Pixels in Rec.709."""

    pixels: np.ndarray
    """float32 [H, W, 3]; pixels that were not finite or negative are as stored."""
    space: ColourSpace
    """`linear` if the file's values are linear or HDR, else `srgb`."""
    out_of_gamut: int
    """Number of pixels outside Rec.709, whose negative channels became 0."""


def convert(pixels: np.ndarray, tag: ColourTag) -> Converted:
    """Convert pixels by a tag without a problem.

    Args:
        pixels: float16 or float32 [H, W, 3], as stored.
        tag: describes them.

    Raises:
        ValueError: if the profile is damaged; the message is the reason.
    """
    space: ColourSpace = "linear" if _is_linear(tag) else "srgb"
    target = LINEAR_REC709 if space == "linear" else _ENCODED_REC709
    height, width = pixels.shape[:2]
    result, outside, step = np.empty((height, width, 3), np.float32), 0, max(1, _BLOCK // width)
    for top in range(0, height, step):
        rows = slice(top, top + step)
        stored = as_float32(np.ascontiguousarray(pixels[rows]))
        converted = _transform(stored, tag, target)
        with np.errstate(invalid="ignore"):
            sound = (np.isfinite(stored) & (stored >= 0)).all(axis=-1)
            outside += int(np.count_nonzero(sound & (converted < _ROUNDING).any(axis=-1)))
            result[rows] = np.where(sound[..., None], np.maximum(converted, 0), stored)
    return Converted(result, space, outside)


@lru_cache(maxsize=256)
def equal_space(tag: ColourTag) -> ColourSpace | None:
    """The project's colour space that a tag without a problem describes, if there is one.

    Two descriptions are the same if a grid of colours and dark greys differs by at most 1.5/255,
    sRGB-encoded. Profiles of sRGB differ from each other by less, and from gamma 2.2 by more.

    Raises:
        ValueError: if the profile is damaged; the message is the reason.
    """
    greys = np.repeat([[0.01], [0.02], [0.05]], 3, axis=1)
    colours = np.array(list(product(np.linspace(0, 1, 5), repeat=3)))
    probe = np.concatenate([greys, colours])[None].astype(np.float32)
    light = _transform(probe, tag, LINEAR_REC709)
    for space in get_args(ColourSpace):
        expected = to_linear(probe, space)
        encoded = (encode_srgb(np.clip(image, 0, None)) for image in (light, expected))
        if np.abs(np.subtract(*encoded)).max() < _SAME:
            return space
    return None


@lru_cache(maxsize=256)
def _is_linear(tag: ColourTag) -> bool:
    if tag.space:
        is_linear = config().isColorSpaceLinear(tag.space) and tag.gamma == 1
        return is_linear or tag.space.startswith(_HDR)
    grey = np.full((1, 1, 3), 0.5, np.float32)
    return bool(np.abs(_transform(grey, tag, LINEAR_REC709) - grey).max() < 0.01)


def _transform(pixels: np.ndarray, tag: ColourTag, target: str) -> np.ndarray:
    """float32 [H, W, 3] in the colours of the tag => in OpenColorIO's colour space `target`."""
    import OpenImageIO as oiio

    image, space = oiio.ImageBuf(pixels), tag.space
    if tag.profile:
        space = _PCS if is_matrix_profile(tag.profile) else _ENCODED_REC709
        if space == _PCS:
            image = _apply_profile(image, tag.profile)
        else:
            image = oiio.ImageBuf(_by_littlecms(pixels, tag.profile))
    if tag.gamma != 1:
        image = oiio.ImageBufAlgo.pow(image, tag.gamma)
    if space != target:
        convert_space = oiio.ImageBufAlgo.colorconvert
        image = convert_space(image, space, target, False, "", "", CONFIG)
    converted = None if image.has_error else image.get_pixels(oiio.FLOAT)
    if converted is None:
        raise ValueError(f"OpenColorIO: {image.geterror().strip().splitlines()[0]}")
    return converted


def _apply_profile(image: "ImageBuf", profile: bytes) -> "ImageBuf":
    import OpenImageIO as oiio

    # OpenColorIO calls the way from the connection space to the device forward.
    path = str(_profile_file(profile))
    return oiio.ImageBufAlgo.ociofiletransform(image, path, False, True, CONFIG)


@lru_cache(maxsize=256)
def is_matrix_profile(profile: bytes) -> bool:
    """Whether OpenColorIO can use an ICC profile: one with matrix and curves, but no tables."""
    import OpenImageIO as oiio

    # geterror() marks the error as read; otherwise OpenImageIO prints it.
    return not _apply_profile(oiio.ImageBuf(np.zeros((1, 1, 3), np.float32)), profile).geterror()


def _by_littlecms(pixels: np.ndarray, profile: bytes) -> np.ndarray:
    """float32 [H, W, 3] => sRGB, float32, through 8 bits: Pillow's LittleCMS has no more."""
    codes = np.rint(np.nan_to_num(pixels).clip(0, 1) * 255).astype(np.uint8)
    is_grey = profile[16:20] == b"GRAY"
    return littlecms_to_srgb(codes[..., 0] if is_grey else codes, profile)


def littlecms_to_srgb(codes: np.ndarray, profile: bytes) -> np.ndarray:
    """Convert by an ICC profile, relative colorimetric.

    Args:
        codes: uint8 [H, W] (grey), [H, W, 3] (RGB) or [H, W, 4] (CMYK, 255 is full ink).
        profile: of these colours.

    Returns:
        sRGB-encoded, float32 [H, W, 3] in [0, 1], with the precision of 8 bits.

    Raises:
        ValueError: if the profile is damaged, or of other colours; the message is the reason.
    """
    from PIL import Image, ImageCms

    mode = {2: "L", 3: "RGB"}.get(codes.shape[-1] if codes.ndim == 3 else 2, "CMYK")
    picture = Image.frombytes(mode, codes.shape[1::-1], codes.tobytes())
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target, intent = ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC
        result = ImageCms.profileToProfile(picture, source, target, intent, outputMode="RGB")
    except (OSError, ImageCms.PyCMSError) as error:
        raise ValueError(f"LittleCMS: {one_line(error)}") from error
    return np.asarray(result, np.float32) / 255


def _profile_file(profile: bytes) -> Path:
    """The profile as a file, because OpenColorIO reads it from one; it keeps it by its name."""
    path = _profile_folder() / f"{hashlib.sha256(profile).hexdigest()}.icc"
    with _written:
        if not path.exists():
            path.write_bytes(profile)
    return path


@cache
def _profile_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="icc-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
