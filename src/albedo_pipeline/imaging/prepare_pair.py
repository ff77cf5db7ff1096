"""Checks and exposure of a complete pair, before it is cropped and resized."""

from dataclasses import dataclass

import numpy as np

from albedo_pipeline.imaging.colour_space_checks import pixel_doubt
from albedo_pipeline.imaging.exposure import brightness_of, exposure_factor
from albedo_pipeline.imaging.image import Image
from albedo_pipeline.imaging.pixel_checks import check_pixels
from albedo_pipeline.imaging.target_checks import ALL_TARGETS, TargetRules, target_masks

Record = dict[str, float | int | str]
"""Columns of the manifest and the audit, by name."""


@dataclass(frozen=True)
class PreparedPair:
    """A complete pair with its masks and its exposure factor."""

    beauty: Image
    albedo: Image
    usable: np.ndarray
    """bool [H, W], true where both images are finite and not negative."""
    valid: np.ndarray
    """bool [H, W], true where a pixel is usable, the reader's mask is true, and the target is an
    albedo."""
    exposure: float
    """The factor by which the linear beauty is multiplied."""
    record: Record
    """Columns about the source files and the checks."""


def prepare_pair(
    beauty: Image,
    albedo: Image,
    valid: np.ndarray,
    exposure: dict,
    targets: TargetRules = ALL_TARGETS,
) -> PreparedPair:
    """Check the pixels of a pair of one size, and find its exposure factor.

    Args:
        beauty: the input image.
        albedo: the target, of the same size.
        valid: bool [H, W], the reader's mask.
        exposure: keyword arguments of `exposure_factor`. Pixels that `targets` mask count for the
            exposure, as they do when the model sees such a picture.
        targets: which values of the target are no albedo and are masked.

    Raises:
        ValueError: if no pixel can be trusted or the beauty is black.
    """
    images = {"beauty": beauty, "albedo": albedo}
    checks = check_pixels(beauty, albedo, brightness_of(exposure["policy"]))
    if not checks.usable.any():
        raise ValueError("no pixel is finite and non-negative in both images")
    trusted = checks.usable & valid
    if not trusted.any():
        raise ValueError("every pixel is masked")
    # exposure_factor reorders the values of its argument.
    brightness = checks.brightness if targets.black_albedo is None else checks.brightness.copy()
    factor = exposure_factor(checks.brightness, trusted, **exposure)
    masked = dict.fromkeys(("above", "black"), 0)
    for rule, mask in target_masks(albedo, brightness, factor, targets).items():
        masked[rule] = int(np.count_nonzero(mask & trusted))
        trusted &= ~mask
    if not trusted.any():
        raise ValueError("every pixel is masked by ingest.target_mask or the reader's mask")
    doubts = [f"{name}: {doubt}" for name, image in images.items() for doubt in _doubts(image)]
    pixels = valid.size
    outside = checks.out_of_gamut + sum(image.notes.out_of_gamut for image in images.values())
    record: Record = {
        "source_height": valid.shape[0],
        "source_width": valid.shape[1],
        **{f"{name}_type": image.type for name, image in images.items()},
        **{f"{name}_space": image.space for name, image in images.items()},
        **{f"{name}_colour_source": image.notes.source for name, image in images.items()},
        **{f"{name}_min": checks.minimum[name] for name in images},
        **{f"{name}_max": checks.maximum[name] for name in images},
        "nonfinite_share": checks.nonfinite / pixels,
        "negative_share": checks.negative / pixels,
        "out_of_gamut_share": min(outside / pixels, 1.0),
        **{f"masked_{rule}_share": count / pixels for rule, count in masked.items()},
        "exposure": float(factor),
        "colour_suspicion": "; ".join(doubts),
    }
    return PreparedPair(beauty, albedo, checks.usable, trusted, factor, record)


def _doubts(image: Image) -> list[str]:
    """Reasons to doubt the colour space of an image: of its tag, and of its pixels."""
    is_tagged = image.notes.source not in ("declared", "pixel type")
    by_pixels = "" if is_tagged else pixel_doubt(image.pixels, image.type, image.space)
    return [doubt for doubt in (image.notes.doubt, by_pixels) if doubt]
