"""A whole pair, checked and exposed."""

from dataclasses import dataclass

import numpy as np

from albedo_pipeline.imaging.colour_space_checks import suspicion
from albedo_pipeline.imaging.exposure import brightness_weights, exposure_factor
from albedo_pipeline.imaging.image import Image
from albedo_pipeline.imaging.pixel_checks import check_pixels

Record = dict[str, float | int | str]


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


def whole_picture(beauty: Image, albedo: Image, valid: np.ndarray, exposure: dict) -> Picture:
    """Check a pair of one size and find its exposure.

    Args:
        valid: bool [H, W], the reader's mask.
        exposure: keywords of `exposure_factor`.

    Raises:
        ValueError: where no pixel can be trusted or the beauty is black.
    """
    images = {"beauty": beauty, "albedo": albedo}
    found = check_pixels(beauty, albedo, brightness_weights(exposure["policy"]))
    if not found.sound.any():
        raise ValueError("no pixel is finite and not negative in both images")
    usable = found.sound & valid
    if not usable.any():
        raise ValueError("every pixel is masked")
    factor = exposure_factor(found.brightness, usable, **exposure)
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
