"""One raw pair (any size) => project pairs, one a crop, with what was done and found."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from albedo_pipeline.imaging.alignment import estimated_shift
from albedo_pipeline.imaging.colour import encode_srgb, luminance
from albedo_pipeline.imaging.colour_space_checks import edge_contrast
from albedo_pipeline.imaging.crops import Box, Shape, crop_boxes, nearest_shape
from albedo_pipeline.imaging.dhash import difference_hash
from albedo_pipeline.imaging.image import Image, linear_rows
from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.imaging.prepare_pair import Picture, Record, whole_picture
from albedo_pipeline.imaging.resize import resize_image, resize_mask, resize_rows, strips

PLAUSIBLE = (0.02, 0.95)
"""Reflectance of real diffuse surfaces, from charcoal to fresh snow."""
_LOOK = 128
"""Largest side of the pictures that are searched for shifts and suspicious contrasts, pixels."""


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
    picture = whole_picture(beauty, albedo, valid, exposure)
    return [_crop(picture, box, shape) for box in boxes]


def _crop(picture: Picture, box: Box, shape: Shape) -> NormalisedPair:
    light, reflectance = (_cut(i, picture.sound, box) for i in (picture.beauty, picture.albedo))
    mask = picture.valid[box.rows, box.columns]
    size = (box.height, box.width, 3)
    # A light or a highlight is clipped before it is averaged, as a camera's pixel would be; what
    # emits bears an albedo far above 1, which should not spread.
    limit = np.float32(1 / picture.exposure)
    clipped_light = _Clipped(light, limit, mask)
    clipped_reflectance = _Clipped(reflectance, np.float32(1), mask)
    beauty = resize_rows(clipped_light, size, *shape) * np.float32(picture.exposure)
    albedo, valid = resize_rows(clipped_reflectance, size, *shape), resize_mask(mask, *shape)
    pixels = max(1, int(np.count_nonzero(mask)))
    record = picture.record | {
        "height": shape[0],
        "width": shape[1],
        "valid_share": float(valid.mean()),
        "beauty_clipped_share": clipped_light.count / pixels,
        "albedo_clipped_share": clipped_reflectance.count / pixels,
    }
    record |= _look(beauty, albedo, valid)
    return NormalisedPair(_stored(beauty), _stored(albedo), valid.astype(np.uint8)[None], record)


def _cut(image: Image, sound: np.ndarray, box: Box) -> Callable[[slice], np.ndarray]:
    """Rows of a box => linear Rec.709."""
    part = (box.rows, box.columns)
    return linear_rows(Image(image.pixels[part], image.space, image.type), sound[part])


@dataclass
class _Clipped:
    """Rows of a picture, clipped; counts the pixels that it clips, of those that are valid."""

    rows_of: Callable[[slice], np.ndarray]
    limit: np.float32
    valid: np.ndarray
    count: int = 0

    def __call__(self, rows: slice) -> np.ndarray:
        part = self.rows_of(rows)
        self.count += _above(part, self.limit, self.valid[rows])
        return np.minimum(part, self.limit)


def _above(pixels: np.ndarray, limit: np.float32, where: np.ndarray) -> int:
    """How many of the pixels `where`, bool [H, W], have a channel above the limit."""
    if not pixels.max() > limit:
        return 0
    above = pixels > limit
    return int(np.count_nonzero((above[..., 0] | above[..., 1] | above[..., 2]) & where))


def _look(beauty: np.ndarray, albedo: np.ndarray, valid: np.ndarray) -> Record:
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
    return {
        "albedo_mean": float(known.mean()) if known.size else 0.0,
        "albedo_implausible_share": float(implausible.mean()) if known.size else 0.0,
        "shift_x": across * down,
        "shift_y": below * down,
        "edge_contrast": contrast,
        "look": difference_hash(little["beauty"]),
    }


def _stored(linear: np.ndarray) -> np.ndarray:
    """uint16 [3, H, W], sRGB-encoded."""
    stored = np.empty((3, *linear.shape[:2]), np.uint16)
    for rows in strips(*linear.shape[:2]):
        stored[:, rows] = quantize(encode_srgb(linear[rows])).transpose(2, 0, 1)
    return stored


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]} x {image.shape[0]}"
