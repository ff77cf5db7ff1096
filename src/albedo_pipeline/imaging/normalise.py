"""One raw pair (linear light, any size) => one project pair, with what was done to it."""

from dataclasses import dataclass

import numpy as np

from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.exposure import exposure_factor
from albedo_pipeline.imaging.masks import trusted
from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.imaging.resize import centre_square, resize_image, resize_mask


@dataclass(frozen=True)
class NormalisedPair:
    """Pixels as stored, and the record for the audit."""

    beauty: np.ndarray
    """uint16 [3, H, W], sRGB-encoded."""
    albedo: np.ndarray
    """uint16 [3, H, W], sRGB-encoded."""
    valid: np.ndarray
    """uint8 [1, H, W], 1 where the albedo can be trusted."""
    record: dict[str, float | int]
    """Source size, exposure, clipped shares, valid share."""


def clipped_share(linear: np.ndarray, where: np.ndarray) -> float:
    """Share of the pixels `where` with a channel above 1."""
    return float((linear > 1).any(axis=-1)[where].mean()) if where.any() else 0.0


def normalise_pair(
    beauty: np.ndarray, albedo: np.ndarray, valid: np.ndarray, side: int, exposure: dict
) -> NormalisedPair:
    """Expose, crop, resize (in linear light), encode and quantise.

    Args:
        beauty: linear Rec.709, [H, W, 3], may pass 1.
        albedo: linear Rec.709, [H, W, 3], in [0, 1].
        valid: bool [H, W], the reader's mask.
        side: width and height of the result, pixels.
        exposure: keywords of `exposure_factor`.

    Raises:
        ValueError: where sizes differ, no pixel can be trusted, or the beauty is black.
    """
    for name, image in (("albedo", albedo), ("mask", valid)):
        if image.shape[:2] != beauty.shape[:2]:
            raise ValueError(f"{name} is {_size(image)} but beauty is {_size(beauty)}")
    finite = trusted(beauty, albedo)
    if not finite.any():
        raise ValueError("no pixel is finite and not negative in both images")
    if not (finite & valid).any():
        raise ValueError("every pixel is masked")

    # The exposure sees every sound pixel, masked or not: it belongs to the picture.
    factor = exposure_factor(beauty, finite, **exposure)
    sound = finite[..., None]
    exposed = centre_square(np.where(sound, beauty, 0) * np.float32(factor))
    reflectance = centre_square(np.where(sound, albedo, 0))
    mask = centre_square(finite & valid)
    small_mask = resize_mask(mask, side)
    small_albedo = resize_image(reflectance, side)
    # A light or a highlight is clipped before it is averaged, as a camera's pixel would be.
    small_beauty = resize_image(np.minimum(exposed, 1), side)
    record = {
        "source_height": beauty.shape[0],
        "source_width": beauty.shape[1],
        "exposure": factor,
        "valid_share": float(small_mask.mean()),
        "beauty_clipped_share": clipped_share(exposed, mask),
        "albedo_clipped_share": clipped_share(small_albedo, small_mask),
        "albedo_mean": float(small_albedo[small_mask].mean()) if small_mask.any() else 0.0,
    }
    return NormalisedPair(
        beauty=_stored(small_beauty),
        albedo=_stored(small_albedo),
        valid=small_mask.astype(np.uint8)[None],
        record=record,
    )


def _stored(linear: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(quantize(encode_srgb(linear)).transpose(2, 0, 1))


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]} x {image.shape[0]}"
