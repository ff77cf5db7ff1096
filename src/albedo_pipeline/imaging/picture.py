"""A whole pair as its files have it: checked, and given in linear light a few rows at a time.

Large pictures are worked on in strips that stay in the processor's cache, and are never copied as
a whole.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from albedo_pipeline.imaging.colour import to_linear
from albedo_pipeline.imaging.exposure import brightness_weights, exposure_factor
from albedo_pipeline.imaging.resize import strips
from albedo_pipeline.imaging.suspicion import suspicion

Record = dict[str, float | int | str]
_ROUNDING = -1e-6
"""Grey and white come out of the matrix of ACEScg with errors of this size."""


@dataclass(frozen=True)
class Image:
    """An image as its file has it."""

    pixels: np.ndarray
    """float16 or float32 [H, W, 3]."""
    space: str
    """Its colour space."""
    type: str
    """Type of the file's pixels."""

    def rows(self, rows: slice) -> np.ndarray:
        """Some rows as stored, float32 [h, W, 3]."""
        part = self.pixels[rows]
        # torch converts half floats thirty times faster than numpy
        return part if part.dtype == np.float32 else torch.from_numpy(part).float().numpy()


@dataclass(frozen=True)
class Picture:
    """A whole pair."""

    beauty: Image
    albedo: Image
    sound: np.ndarray
    """bool [H, W]: finite and not negative in both."""
    valid: np.ndarray
    """bool [H, W]: sound, and not masked."""
    exposure: float
    """The factor that the beauty is to be multiplied by."""
    record: Record
    """What was found."""


@dataclass
class _Findings:
    """What one look at both images tells."""

    low: dict[str, float]
    """Least sound value, linear Rec.709."""
    high: dict[str, float]
    sound: np.ndarray
    brightness: np.ndarray
    nonfinite: int = 0
    """Pixels."""
    negative: int = 0
    outside: int = 0


def linear_rows(image: Image, sound: np.ndarray) -> Callable[[slice], np.ndarray]:
    """Rows => linear Rec.709, float32 [h, W, 3]; 0 where not sound, and for negative channels of
    colours that Rec.709 does not have."""
    is_clean = bool(sound.all())

    def rows_of(rows: slice) -> np.ndarray:
        stored = image.rows(rows)
        if not is_clean:
            stored = np.where(sound[rows, :, None], stored, 0)
        linear = to_linear(stored, image.space)
        return np.maximum(linear, 0) if image.space == "acescg" else linear

    return rows_of


def whole_picture(beauty: Image, albedo: Image, valid: np.ndarray, exposure: dict) -> Picture:
    """Check a pair of one size and find its exposure.

    Args:
        valid: bool [H, W], the reader's mask.
        exposure: keywords of `exposure_factor`.

    Raises:
        ValueError: where no pixel can be trusted or the beauty is black.
    """
    images = {"beauty": beauty, "albedo": albedo}
    found = _looked_at(images, brightness_weights(exposure["policy"]))
    if not found.sound.any():
        raise ValueError("no pixel is finite and not negative in both images")
    usable = found.sound & valid
    if not usable.any():
        raise ValueError("every pixel is masked")
    factor = exposure_factor(found.brightness, found.sound, usable, **exposure)
    doubts = {name: suspicion(i.pixels, i.type, i.space) for name, i in images.items()}
    pixels = valid.size
    record: Record = {
        "source_height": valid.shape[0],
        "source_width": valid.shape[1],
        **{f"{name}_type": image.type for name, image in images.items()},
        **{f"{name}_space": image.space for name, image in images.items()},
        **{f"{name}_min": found.low[name] for name in images},
        **{f"{name}_max": found.high[name] for name in images},
        "nonfinite_share": found.nonfinite / pixels,
        "negative_share": found.negative / pixels,
        "out_of_gamut_share": found.outside / pixels,
        "exposure": float(factor),
        "colour_suspicion": "; ".join(f"{n}: {doubt}" for n, doubt in doubts.items() if doubt),
    }
    return Picture(beauty, albedo, found.sound, usable, factor, record)


def _looked_at(images: dict[str, Image], weights: np.ndarray) -> _Findings:
    shape = images["beauty"].pixels.shape[:2]
    found = _Findings(
        low=dict.fromkeys(images, np.inf),
        high=dict.fromkeys(images, 0.0),
        sound=np.ones(shape, bool),
        brightness=np.empty(shape, np.float32),
    )
    for rows in strips(*shape):
        stored = {name: image.rows(rows) for name, image in images.items()}
        # Most pictures are clean, as their least and greatest values tell.
        if not all(part.min() >= 0 and part.max() < np.inf for part in stored.values()):
            _set_aside(found, rows, stored)
        outside = np.zeros(found.sound[rows].shape, bool)
        for name, image in images.items():
            linear = to_linear(stored[name], image.space)
            if image.space == "acescg":
                outside |= (linear < _ROUNDING).any(axis=-1)
                linear = np.maximum(linear, 0)
            if name == "beauty":
                found.brightness[rows] = linear @ weights
            found.low[name] = min(found.low[name], float(linear.min()))
            found.high[name] = max(found.high[name], float(linear.max()))
        found.outside += np.count_nonzero(outside)
    return found


def _set_aside(found: _Findings, rows: slice, stored: dict[str, np.ndarray]) -> None:
    """Note the unsound pixels of some rows, and put 0 in their place."""
    both = np.concatenate(list(stored.values()), axis=-1)
    finite = np.isfinite(both).all(axis=-1)
    with np.errstate(invalid="ignore"):
        negative = (both < 0).any(axis=-1)
    found.nonfinite += np.count_nonzero(~finite)
    found.negative += np.count_nonzero(negative)
    found.sound[rows] = finite & ~negative
    for name, part in stored.items():
        stored[name] = np.where(found.sound[rows, :, None], part, 0)
