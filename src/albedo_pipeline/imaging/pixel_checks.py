"""Checks of a pair's pixels: which are usable, how bright they are, and their extremes."""

from dataclasses import dataclass

import numpy as np

from albedo_pipeline.imaging.colour import to_linear
from albedo_pipeline.imaging.exposure import Brightness
from albedo_pipeline.imaging.image import Image
from albedo_pipeline.imaging.resize import strips

_ROUNDING = -1e-6
"""Lower bound of what grey and white become by rounding when ACEScg is converted to Rec.709."""
_INTEGER_OF_SIZE = {np.dtype(np.float16): np.int16, np.dtype(np.float32): np.int32}


@dataclass
class PixelChecks:
    """What the pixels of a pair are like."""

    minimum: dict[str, float]
    """Smallest value of each image, linear Rec.709; unusable pixels count as 0."""
    maximum: dict[str, float]
    """Largest value of each image, linear Rec.709; unusable pixels count as 0."""
    usable: np.ndarray
    """bool [H, W], true where both images are finite and not negative."""
    brightness: np.ndarray
    """Brightness of the beauty, float32 [H, W]; 0 where it is not usable."""
    nonfinite: int = 0
    """Number of pixels with a NaN or an infinity in either image."""
    negative: int = 0
    """Number of pixels with a negative value in either image."""
    out_of_gamut: int = 0
    """Number of pixels whose colour lies outside Rec.709 in either image."""


def check_pixels(beauty: Image, albedo: Image, brightness: Brightness) -> PixelChecks:
    """Check the pixels of two images of one size.

    Args:
        beauty: the image whose brightness is computed.
        albedo: the other image.
        brightness: the brightness that is computed.
    """
    images = {"beauty": beauty, "albedo": albedo}
    shape = beauty.pixels.shape[:2]
    checks = PixelChecks(
        minimum=dict.fromkeys(images, np.inf),
        maximum=dict.fromkeys(images, 0.0),
        usable=np.ones(shape, bool),
        brightness=np.empty(shape, np.float32),
    )
    # The matrix of ACEScg mixes channels; the other spaces keep the order of the values, so that
    # the extremes can be found before the conversion.
    if "acescg" in (beauty.space, albedo.space) or not _find_extremes_if_clean(checks, images):
        _check_every_pixel(checks, images, brightness)
        return checks
    for rows in strips(*shape):
        checks.brightness[rows] = brightness(to_linear(beauty.rows(rows), beauty.space))
    return checks


def _find_extremes_if_clean(checks: PixelChecks, images: dict[str, Image]) -> bool:
    """Find the extremes if all pixels are finite and not negative; return whether they are.

    This compares the bits of the floats as integers, which is much faster than comparing floats.
    By IEEE 754 the bits are sign, exponent and fraction, in this order, so:

    - the bits of non-negative floats, as integers, are in the order of the floats;
    - a float with its sign bit set is a negative integer, and so the minimum;
    - infinity is above all finite floats, and NaN is above infinity.
    """
    extremes = {}
    for name, image in images.items():
        bits = image.pixels.view(_INTEGER_OF_SIZE[image.pixels.dtype])
        ends = np.array([bits.min(), bits.max()], bits.dtype).view(image.pixels.dtype)
        if np.signbit(ends[0]) or not ends[1] < np.inf:
            return False
        extremes[name] = to_linear(ends, image.space)
    for name, (minimum, maximum) in extremes.items():
        checks.minimum[name], checks.maximum[name] = float(minimum), float(maximum)
    return True


def _check_every_pixel(
    checks: PixelChecks, images: dict[str, Image], brightness: Brightness
) -> None:
    for rows in strips(*checks.brightness.shape):
        stored = {name: image.rows(rows) for name, image in images.items()}
        _zero_unusable(checks, rows, stored)
        outside = np.zeros(checks.usable[rows].shape, bool)
        for name, image in images.items():
            linear = to_linear(stored[name], image.space)
            outside |= (linear < _ROUNDING).any(axis=-1)
            linear = np.maximum(linear, 0)
            if name == "beauty":
                checks.brightness[rows] = brightness(linear)
            checks.minimum[name] = min(checks.minimum[name], float(linear.min()))
            checks.maximum[name] = max(checks.maximum[name], float(linear.max()))
        checks.out_of_gamut += int(np.count_nonzero(outside))


def _zero_unusable(checks: PixelChecks, rows: slice, stored: dict[str, np.ndarray]) -> None:
    """Count and mask the unusable pixels of some rows, and replace them by 0 in `stored`."""
    both = np.concatenate(list(stored.values()), axis=-1)
    finite = np.isfinite(both).all(axis=-1)
    with np.errstate(invalid="ignore"):
        negative = (both < 0).any(axis=-1)
    checks.nonfinite += int(np.count_nonzero(~finite))
    checks.negative += int(np.count_nonzero(negative))
    checks.usable[rows] = finite & ~negative
    for name, part in stored.items():
        stored[name] = np.where(checks.usable[rows, :, None], part, 0)
