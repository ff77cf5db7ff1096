"""A whole pair as its files have it => linear light, with what was found in it."""

from dataclasses import dataclass

import numpy as np

from albedo_pipeline.imaging.colour import to_linear
from albedo_pipeline.imaging.exposure import exposure_factor
from albedo_pipeline.imaging.suspicion import suspicion

Record = dict[str, float | int | str]


@dataclass(frozen=True)
class Image:
    """An image as its file has it."""

    pixels: np.ndarray
    """float32 [H, W, 3]."""
    space: str
    """Its colour space."""
    type: str
    """Type of the file's pixels."""


@dataclass(frozen=True)
class Picture:
    """A whole pair in linear light; what is not finite or negative is 0."""

    beauty: np.ndarray
    """float32 [H, W, 3], linear Rec.709, not exposed yet."""
    albedo: np.ndarray
    """float32 [H, W, 3], linear Rec.709."""
    valid: np.ndarray
    """bool [H, W]."""
    exposure: float
    """The factor that the beauty is to be multiplied by."""
    record: Record
    """What was found."""


def whole_picture(beauty: Image, albedo: Image, valid: np.ndarray, exposure: dict) -> Picture:
    """Check a pair of one size, bring it to linear light and find its exposure.

    Args:
        valid: bool [H, W], the reader's mask.
        exposure: keywords of `exposure_factor`.

    Raises:
        ValueError: where no pixel can be trusted or the beauty is black.
    """
    extremes = [_extremes(image.pixels) for image in (beauty, albedo)]
    clean = all(low >= 0 and high < np.inf for low, high in extremes)
    sound, record = _soundness(beauty.pixels, albedo.pixels, clean)
    if not sound.any():
        raise ValueError("no pixel is finite and not negative in both images")
    usable = sound & valid
    if not usable.any():
        raise ValueError("every pixel is masked")
    doubts = []
    for name, image in (("beauty", beauty), ("albedo", albedo)):
        if doubt := suspicion(image.pixels, image.type, image.space):
            doubts.append(f"{name}: {doubt}")
    (light, outside), (reflectance, out_there) = (_linear(i, sound) for i in (beauty, albedo))
    if not clean or "acescg" in (beauty.space, albedo.space):
        extremes = [_extremes(image) for image in (light, reflectance)]
    else:  # the other spaces keep the order of values
        spaces = (beauty.space, albedo.space)
        extremes = [to_linear(np.array(e), s) for e, s in zip(extremes, spaces, strict=True)]
    factor = exposure_factor(light, sound, usable, **exposure)
    record |= {
        "source_height": valid.shape[0],
        "source_width": valid.shape[1],
        "beauty_type": beauty.type,
        "albedo_type": albedo.type,
        "beauty_space": beauty.space,
        "albedo_space": albedo.space,
        "beauty_min": float(extremes[0][0]),
        "beauty_max": float(extremes[0][1]),
        "albedo_min": float(extremes[1][0]),
        "albedo_max": float(extremes[1][1]),
        "out_of_gamut_share": max(outside, out_there),
        "exposure": float(factor),
        "colour_suspicion": "; ".join(doubts),
    }
    return Picture(light, reflectance, usable, factor, record)


def _soundness(beauty: np.ndarray, albedo: np.ndarray, clean: bool) -> tuple[np.ndarray, Record]:
    """Which pixels, bool [H, W], are finite and not negative in both; shares of those that are
    not. `clean` says that all are."""
    if clean:
        none = {"nonfinite_share": 0.0, "negative_share": 0.0}
        return np.ones(beauty.shape[:2], bool), none
    both = np.concatenate([beauty, albedo], axis=-1)
    with np.errstate(invalid="ignore"):
        finite, negative = np.isfinite(both).all(axis=-1), (both < 0).any(axis=-1)
    shares = {"nonfinite_share": float(1 - finite.mean()), "negative_share": float(negative.mean())}
    return finite & ~negative, shares


def _extremes(pixels: np.ndarray) -> tuple[float, float]:
    """Least and greatest value; NaN where there is one."""
    return float(pixels.min()), float(pixels.max())


def _linear(image: Image, sound: np.ndarray) -> tuple[np.ndarray, float]:
    """Linear Rec.709, 0 where not sound; and the share of pixels outside Rec.709's colours, whose
    negative channels become 0."""
    pixels = image.pixels if sound.all() else np.where(sound[..., None], image.pixels, 0)
    linear = to_linear(pixels, image.space)
    if image.space != "acescg":
        return linear, 0.0
    # White and grey come out of the matrix with rounding errors.
    outside = float((linear < -1e-6).any(axis=-1).mean())
    return np.maximum(linear, 0), outside
