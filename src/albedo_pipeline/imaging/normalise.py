"""Normalising a raw pair of any size: exposed, cropped, resized and quantised for storage."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from albedo_pipeline.imaging.alignment import estimated_shift
from albedo_pipeline.imaging.colour import luminance
from albedo_pipeline.imaging.colour_space_checks import edge_contrast
from albedo_pipeline.imaging.crops import Box, CropSettings, Shape, crop_boxes, nearest_shape
from albedo_pipeline.imaging.dhash import difference_hash
from albedo_pipeline.imaging.image import Image, linear_rows
from albedo_pipeline.imaging.prepare_pair import PreparedPair, Record, prepare_pair
from albedo_pipeline.imaging.resize import resize_image, resize_mask, resize_rows, strips
from albedo_pipeline.imaging.stored_srgb import stored_srgb
from albedo_pipeline.imaging.target_checks import ALL_TARGETS, TargetRules

PLAUSIBLE_ALBEDO = (0.02, 0.95)
"""Reflectance of real diffuse surfaces, from charcoal to fresh snow."""
_PREVIEW_SIDE = 128
"""Largest side of the grey images that are searched for shifts and edge contrast, pixels."""


@dataclass(frozen=True)
class NormalisedPair:
    """One crop of a pair: pixels as stored, and the columns for the audit."""

    beauty: np.ndarray
    """uint16 [3, H, W], sRGB-encoded."""
    albedo: np.ndarray
    """uint16 [3, H, W], sRGB-encoded."""
    valid: np.ndarray
    """uint8 [1, H, W], 1 where the albedo can be trusted."""
    record: Record
    """Columns of the manifest and the audit."""


def normalise_pair(
    beauty: Image,
    albedo: Image,
    valid: np.ndarray,
    crops: CropSettings,
    exposure: dict,
    targets: TargetRules = ALL_TARGETS,
) -> list[NormalisedPair]:
    """Expose, crop, resize (in linear light), encode and quantise a pair.

    Args:
        beauty: the input image.
        albedo: the target, of the same size.
        valid: bool [H, W], the reader's mask.
        crops: what is stored of the pair.
        exposure: keyword arguments of `exposure_factor`. All crops share one exposure factor,
            which is found on the complete image.
        targets: which values of the target are no albedo and are masked.

    Returns:
        One pair for each crop.

    Raises:
        ValueError: if sizes differ, no pixel can be trusted, the beauty is black, or the image is
            too small.
    """
    for name, image in (("albedo", albedo.pixels), ("mask", valid)):
        if image.shape[:2] != beauty.pixels.shape[:2]:
            raise ValueError(f"{name} is {_size(image)} but beauty is {_size(beauty.pixels)}")
    height, width = valid.shape
    shape = nearest_shape(height, width, crops.shapes)
    boxes = crop_boxes(height, width, shape, crops.count, crops.share)
    enlargement = shape[0] / boxes[0].height
    if enlargement > crops.max_enlargement:
        raise ValueError(
            f"{width} x {height} is too small: it would be enlarged {enlargement:.3g} times"
        )
    pair = prepare_pair(beauty, albedo, valid, exposure, targets)
    return [_normalise_crop(pair, box, shape) for box in boxes]


def _normalise_crop(pair: PreparedPair, box: Box, shape: Shape) -> NormalisedPair:
    beauty_rows, albedo_rows = (
        _linear_rows_of(image, pair.usable, box) for image in (pair.beauty, pair.albedo)
    )
    mask = pair.valid[box.rows, box.columns]
    size = (box.height, box.width, 3)
    # Light sources and highlights are clipped before they are averaged, as in a camera's pixels;
    # light sources may have an albedo far above 1, which must not spread to their neighbours.
    limit = np.float32(1 / pair.exposure)
    clipped_beauty = _ClippedRows(beauty_rows, limit, mask)
    clipped_albedo = _ClippedRows(albedo_rows, np.float32(1), mask)
    beauty = resize_rows(clipped_beauty, size, *shape) * np.float32(pair.exposure)
    albedo, valid = resize_rows(clipped_albedo, size, *shape), resize_mask(mask, *shape)
    pixels = max(1, int(np.count_nonzero(mask)))
    record = pair.record | {
        "height": shape[0],
        "width": shape[1],
        "valid_share": float(valid.mean()),
        "beauty_clipped_share": clipped_beauty.count / pixels,
        "albedo_clipped_share": clipped_albedo.count / pixels,
    }
    record |= _content_columns(beauty, albedo, valid)
    return NormalisedPair(
        _quantised(beauty), _quantised(albedo), valid.astype(np.uint8)[None], record
    )


def _linear_rows_of(image: Image, usable: np.ndarray, box: Box) -> Callable[[slice], np.ndarray]:
    """Rows of a box => linear Rec.709."""
    part = (box.rows, box.columns)
    return linear_rows(Image(image.pixels[part], image.space, image.type), usable[part])


@dataclass
class _ClippedRows:
    """Gives rows of an image, clipped, and counts the valid pixels that it clips."""

    rows_of: Callable[[slice], np.ndarray]
    limit: np.float32
    valid: np.ndarray
    count: int = 0

    def __call__(self, rows: slice) -> np.ndarray:
        part = self.rows_of(rows)
        if not part.max() > self.limit:
            return part
        above = part > self.limit
        # Ten times as fast as above.any(axis=-1).
        above = above[..., 0] | above[..., 1] | above[..., 2]
        self.count += int(np.count_nonzero(above & self.valid[rows]))
        return np.minimum(part, self.limit)


def _content_columns(beauty: np.ndarray, albedo: np.ndarray, valid: np.ndarray) -> Record:
    """Columns about the content: plausible albedo, shift, edge contrast and perceptual hash.

    Shift, contrast and hash are measured on small grey images, beauty and albedo linear.
    """
    grey = {name: luminance(image) for name, image in (("beauty", beauty), ("albedo", albedo))}
    reflectance = grey["albedo"][valid]
    implausible = (reflectance < PLAUSIBLE_ALBEDO[0]) | (reflectance > PLAUSIBLE_ALBEDO[1])
    factor = max(1, -(-max(valid.shape) // _PREVIEW_SIDE))
    size = (-(-valid.shape[0] // factor), -(-valid.shape[1] // factor))
    small = {n: resize_image(image[..., None], *size)[..., 0] for n, image in grey.items()}
    usable = resize_mask(valid & (grey["beauty"] < 0.98), *size)
    across, down = estimated_shift(small["beauty"], small["albedo"], usable)
    # In a shifted pair the edges do not meet, so their contrast means nothing.
    is_shifted = across or down
    contrast = np.nan if is_shifted else edge_contrast(small["beauty"], small["albedo"], usable)
    return {
        "albedo_mean": float(reflectance.mean()) if reflectance.size else 0.0,
        "albedo_implausible_share": float(implausible.mean()) if reflectance.size else 0.0,
        "shift_x": across * factor,
        "shift_y": down * factor,
        "edge_contrast": contrast,
        "look": difference_hash(small["beauty"]),
    }


def _quantised(linear: np.ndarray) -> np.ndarray:
    """Linear [H, W, 3] => uint16 [3, H, W], sRGB-encoded."""
    stored = np.empty((3, *linear.shape[:2]), np.uint16)
    for rows in strips(*linear.shape[:2]):
        stored[:, rows] = stored_srgb(linear[rows]).transpose(2, 0, 1)
    return stored


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]} x {image.shape[0]}"
