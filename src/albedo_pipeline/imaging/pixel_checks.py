"""One look at a pair: which pixels can be trusted, how bright it is, and its extremes."""

from dataclasses import dataclass

import numpy as np

from albedo_pipeline.imaging.colour import to_linear
from albedo_pipeline.imaging.image import Image
from albedo_pipeline.imaging.resize import strips

_ROUNDING = -1e-6
"""Grey and white come out of the matrix of ACEScg with errors of this size."""
_BITS = {np.dtype(np.float16): np.int16, np.dtype(np.float32): np.int32}


@dataclass
class Findings:
    """What one look at both images tells."""

    low: dict[str, float]
    """Least sound value of each image, linear Rec.709."""
    high: dict[str, float]
    sound: np.ndarray
    """bool [H, W]: finite and not negative in both."""
    brightness: np.ndarray
    """float32 [H, W], of the beauty; 0 where not sound."""
    nonfinite: int = 0
    """Pixels."""
    negative: int = 0
    outside: int = 0
    """Pixels of a colour that Rec.709 does not have."""


def check_pixels(beauty: Image, albedo: Image, weights: np.ndarray) -> Findings:
    """Look at a pair of one size; `weights` of red, green and blue make the brightness."""
    images = {"beauty": beauty, "albedo": albedo}
    shape = beauty.pixels.shape[:2]
    found = Findings(
        low=dict.fromkeys(images, np.inf),
        high=dict.fromkeys(images, 0.0),
        sound=np.ones(shape, bool),
        brightness=np.empty(shape, np.float32),
    )
    # A matrix mixes the channels; the other spaces keep the order of values.
    if "acescg" in (beauty.space, albedo.space) or not _look_quickly(found, images):
        _look_closely(found, images, weights)
        return found
    for rows in strips(*shape):
        found.brightness[rows] = to_linear(beauty.rows(rows), beauty.space) @ weights
    return found


def _look_quickly(found: Findings, images: dict[str, Image]) -> bool:
    """Find the extremes, where all pixels are finite and not negative; false where not."""
    extremes = {}
    for name, image in images.items():
        # Positive floats are in the order of their bits; negative ones have the sign's bit, which
        # puts them below, and NaN comes after infinity.
        bits = image.pixels.view(_BITS[image.pixels.dtype])
        ends = np.array([bits.min(), bits.max()], bits.dtype).view(image.pixels.dtype)
        if np.signbit(ends[0]) or not ends[1] < np.inf:
            return False
        extremes[name] = to_linear(ends, image.space)
    for name, (low, high) in extremes.items():
        found.low[name], found.high[name] = float(low), float(high)
    return True


def _look_closely(found: Findings, images: dict[str, Image], weights: np.ndarray) -> None:
    for rows in strips(*found.brightness.shape):
        stored = {name: image.rows(rows) for name, image in images.items()}
        _set_aside(found, rows, stored)
        outside = np.zeros(found.sound[rows].shape, bool)
        for name, image in images.items():
            linear = to_linear(stored[name], image.space)
            outside |= (linear < _ROUNDING).any(axis=-1)
            linear = np.maximum(linear, 0)
            if name == "beauty":
                found.brightness[rows] = linear @ weights
            found.low[name] = min(found.low[name], float(linear.min()))
            found.high[name] = max(found.high[name], float(linear.max()))
        found.outside += int(np.count_nonzero(outside))


def _set_aside(found: Findings, rows: slice, stored: dict[str, np.ndarray]) -> None:
    """Note the unsound pixels of some rows, and put 0 in their place."""
    both = np.concatenate(list(stored.values()), axis=-1)
    finite = np.isfinite(both).all(axis=-1)
    with np.errstate(invalid="ignore"):
        negative = (both < 0).any(axis=-1)
    found.nonfinite += int(np.count_nonzero(~finite))
    found.negative += int(np.count_nonzero(negative))
    found.sound[rows] = finite & ~negative
    for name, part in stored.items():
        stored[name] = np.where(found.sound[rows, :, None], part, 0)
