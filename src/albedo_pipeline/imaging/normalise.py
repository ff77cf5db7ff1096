"""One raw pair (any size) => project pairs, one a crop, with what was done and found."""

from dataclasses import dataclass

import numpy as np

from albedo_pipeline.imaging.alignment import estimated_shift
from albedo_pipeline.imaging.colour import encode_srgb, luminance, to_linear
from albedo_pipeline.imaging.exposure import exposure_factor
from albedo_pipeline.imaging.framing import Box, Shape, crop_boxes, nearest_shape
from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.imaging.resize import resize_image, resize_mask
from albedo_pipeline.imaging.similarity import difference_hash
from albedo_pipeline.imaging.suspicion import contrast_suspicion, edge_contrast, suspicion

PLAUSIBLE = (0.02, 0.95)
"""Reflectance of real diffuse surfaces, from charcoal to fresh snow."""
_LOOK = 128
"""Largest side of the pictures that are searched for shifts and suspicious contrasts, pixels."""

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
class Framing:
    """What is stored of a picture."""

    shapes: list[Shape]
    """Height and width; a picture takes the one nearest to its own ratio."""
    crops: int = 1
    share: float = 1.0
    """Size of a crop, as a share of the largest that fits."""
    max_enlargement: float = 2.0


@dataclass(frozen=True)
class NormalisedPair:
    """Pixels as stored, and the record for the audit."""

    beauty: np.ndarray
    """uint16 [3, H, W], sRGB-encoded."""
    albedo: np.ndarray
    """uint16 [3, H, W], sRGB-encoded."""
    valid: np.ndarray
    """uint8 [1, H, W], 1 where the albedo can be trusted."""
    record: Record


@dataclass(frozen=True)
class _Picture:
    """A whole pair in linear light; what is not sound is 0."""

    beauty: np.ndarray
    albedo: np.ndarray
    valid: np.ndarray
    exposure: float
    record: Record


def normalise_pair(
    beauty: Image, albedo: Image, valid: np.ndarray, framing: Framing, exposure: dict
) -> list[NormalisedPair]:
    """Expose, crop, resize (in linear light), encode and quantise; one result a crop.

    Args:
        valid: bool [H, W], the reader's mask.
        exposure: keywords of `exposure_factor`. Every crop has the whole picture's exposure.

    Raises:
        ValueError: where sizes differ, no pixel can be trusted, the beauty is black, or the
            picture is too small.
    """
    for name, image in (("albedo", albedo.pixels), ("mask", valid)):
        if image.shape[:2] != beauty.pixels.shape[:2]:
            raise ValueError(f"{name} is {_size(image)} but beauty is {_size(beauty.pixels)}")
    height, width = valid.shape
    shape = nearest_shape(height, width, framing.shapes)
    boxes = crop_boxes(height, width, shape, framing.crops, framing.share)
    enlargement = shape[0] / boxes[0].height
    if enlargement > framing.max_enlargement:
        raise ValueError(
            f"{width} x {height} is too small: it would be enlarged {enlargement:.3g} times"
        )
    picture = _picture(beauty, albedo, valid, exposure)
    return [_crop(picture, box, shape) for box in boxes]


def _picture(beauty: Image, albedo: Image, valid: np.ndarray, exposure: dict) -> _Picture:
    sound, record = _soundness(beauty.pixels, albedo.pixels)
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
    factor = exposure_factor(light, sound, usable, **exposure)
    record |= {
        "source_height": valid.shape[0],
        "source_width": valid.shape[1],
        "beauty_type": beauty.type,
        "albedo_type": albedo.type,
        "beauty_space": beauty.space,
        "albedo_space": albedo.space,
        "beauty_min": float(light.min()),
        "beauty_max": float(light.max()),
        "albedo_min": float(reflectance.min()),
        "albedo_max": float(reflectance.max()),
        "out_of_gamut_share": max(outside, out_there),
        "exposure": float(factor),
        "colour_suspicion": "; ".join(doubts),
    }
    return _Picture(light, reflectance, usable, factor, record)


def _soundness(beauty: np.ndarray, albedo: np.ndarray) -> tuple[np.ndarray, Record]:
    """Which pixels, bool [H, W], are finite and not negative in both; shares of those that are
    not. Clean images, as most are, take a quick way: their least and greatest values tell."""
    shares = {"nonfinite_share": 0.0, "negative_share": 0.0}
    with np.errstate(invalid="ignore"):
        if all(x.min() >= 0 and x.max() < np.inf for x in (beauty, albedo)):
            return np.ones(beauty.shape[:2], bool), shares
        both = np.concatenate([beauty, albedo], axis=-1)
        finite = np.isfinite(both).all(axis=-1)
        negative = (both < 0).any(axis=-1)
    shares = {"nonfinite_share": float(1 - finite.mean()), "negative_share": float(negative.mean())}
    return finite & ~negative, shares


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


def _crop(picture: _Picture, box: Box, shape: Shape) -> NormalisedPair:
    cut = (box.rows, box.columns)
    light, reflectance, mask = picture.beauty[cut], picture.albedo[cut], picture.valid[cut]
    # A light or a highlight is clipped before it is averaged, as a camera's pixel would be.
    limit = np.float32(1 / picture.exposure)
    beauty = resize_image(np.minimum(light, limit), *shape) * np.float32(picture.exposure)
    albedo, valid = resize_image(reflectance, *shape), resize_mask(mask, *shape)
    record = picture.record | {
        "height": shape[0],
        "width": shape[1],
        "valid_share": float(valid.mean()),
        "beauty_clipped_share": _share_above(light, limit, mask),
        "albedo_clipped_share": _share_above(albedo, np.float32(1), valid),
    }
    record |= _look(beauty, albedo, valid, record)
    return NormalisedPair(_stored(beauty), _stored(albedo), valid.astype(np.uint8)[None], record)


def _share_above(linear: np.ndarray, limit: np.float32, where: np.ndarray) -> float:
    """Share of the pixels `where` with a channel above the limit."""
    if not linear.max() > limit or not where.any():
        return 0.0
    return float((linear > limit).any(axis=-1)[where].mean())


def _look(beauty: np.ndarray, albedo: np.ndarray, valid: np.ndarray, record: Record) -> Record:
    """What a small picture in grey tells: brightness, plausibility, shift, contrast, likeness."""
    grey = {name: luminance(image) for name, image in (("beauty", beauty), ("albedo", albedo))}
    known = grey["albedo"][valid]
    implausible = (known < PLAUSIBLE[0]) | (known > PLAUSIBLE[1])
    down = max(1, -(-max(valid.shape) // _LOOK))
    small = (-(-valid.shape[0] // down), -(-valid.shape[1] // down))
    little = {n: resize_image(image[..., None], *small)[..., 0] for n, image in grey.items()}
    usable = resize_mask(valid & (grey["beauty"] < 0.98), *small)
    across, below = estimated_shift(little["beauty"], little["albedo"], usable)
    moved = across or below  # then edges do not meet, and their contrasts mean nothing
    contrast = np.nan if moved else edge_contrast(little["beauty"], little["albedo"], usable)
    doubt = contrast_suspicion(contrast, record["beauty_space"], record["albedo_space"])
    return {
        "albedo_mean": float(known.mean()) if known.size else 0.0,
        "albedo_implausible_share": float(implausible.mean()) if known.size else 0.0,
        "shift_x": across * down,
        "shift_y": below * down,
        "edge_contrast": contrast,
        "colour_suspicion": "; ".join(d for d in (record["colour_suspicion"], doubt) if d),
        "look": difference_hash(little["beauty"]),
    }


def _stored(linear: np.ndarray) -> np.ndarray:
    return quantize(encode_srgb(np.ascontiguousarray(linear.transpose(2, 0, 1))))


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]} x {image.shape[0]}"
