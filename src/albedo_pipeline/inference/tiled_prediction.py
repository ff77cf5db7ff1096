"""Albedo of one image of any size: at once, or in tiles."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch

from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb, to_linear
from albedo_pipeline.imaging.pixels import dequantize, quantize, to_tensor
from albedo_pipeline.imaging.resize import resize_image, resize_rows
from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.inference.noise_field import field_noise
from albedo_pipeline.inference.tiling import Axis, axis_tiles, blend, enlarged, tone_gain
from albedo_pipeline.models.autoencoder import factor
from albedo_pipeline.runtime.progress import progress

_FEW = 8
"""Number of tiles up to which no progress of their own is shown."""


@dataclass(frozen=True)
class TiledPrediction:
    """How a large image is divided; sizes are in pixels."""

    resolution: int
    """Longer side at which the complete image is predicted; 0 is its own size."""
    tile: int
    """Width and height of a tile; 0 predicts without tiles."""
    overlap: float
    """Least overlap of neighbouring tiles, as a share of a tile's width."""


@dataclass(frozen=True)
class Predicted:
    """The predicted albedo of one image."""

    albedo: np.ndarray
    """Albedo, linear Rec.709, float16 [H, W, 3], in [0, 1]."""
    uncertainty: np.ndarray | None
    """Disagreement of the ensemble, in the unit of the model's prediction, float16 [H, W, 3]."""
    tiles: int
    """Number of tiles; 0 if the image was predicted at once."""


def predict_image(
    estimator: Estimator, beauty: np.ndarray, name: str, layout: TiledPrediction
) -> Predicted:
    """Predict the complete image, and one that is larger than `layout.resolution` also in tiles.

    Args:
        beauty: uint16 [H, W, 3], sRGB-encoded.
        name: name of the image, for the noise and the progress.
    """
    height, width = beauty.shape[:2]
    size = processing_size(height, width, layout.resolution)
    whole = _predict_whole(estimator, beauty, name, size)
    if max(size) >= max(height, width) or not layout.tile:
        return _predicted(resize_image(whole, height, width).astype(np.float16), 0)
    cell = factor(estimator.model.autoencoder)
    side = max(cell, layout.tile // cell * cell)
    down, across = (axis_tiles(n, side, layout.overlap, cell) for n in (height, width))
    total = len(down.parts) * len(across.parts)
    tiles = _predict_tiles(estimator, beauty, name, whole[..., :3], down, across)
    if total > _FEW:
        tiles = progress(tiles, total, f"{name}, tiles")
    return _predicted(blend(down, across, whole.shape[2], tiles), total)


def processing_size(height: int, width: int, resolution: int) -> tuple[int, int]:
    """Size at which an image is predicted at once.

    It is the image's own size if its longer side is between half the resolution and the resolution.
    Otherwise its longer side becomes the resolution: a much smaller image has too few latent cells.
    """
    longer = max(height, width)
    if not resolution or resolution / 2 <= longer <= resolution:
        return height, width
    scale = resolution / longer
    return max(1, round(height * scale)), max(1, round(width * scale))


def _predict_whole(
    estimator: Estimator, beauty: np.ndarray, name: str, size: tuple[int, int]
) -> np.ndarray:
    """Linear albedo and, if there is one, uncertainty; float32 [*size, 3 or 6]."""

    def rows_of(rows: slice) -> np.ndarray:
        return decode_srgb(dequantize(beauty[rows]))

    stored = beauty
    if size != beauty.shape[:2]:
        stored = quantize(encode_srgb(resize_rows(rows_of, beauty.shape, *size)))
    everything = (slice(0, size[0]), slice(0, size[1]))
    return _predict(estimator, [stored], f"{name}\0whole", [everything])[0]


def _predict_tiles(
    estimator: Estimator,
    beauty: np.ndarray,
    name: str,
    whole: np.ndarray,
    down: Axis,
    across: Axis,
) -> Iterator[np.ndarray]:
    """Yield the tiles, row by row, in the tone of the complete image; a batch has one size."""
    height, width = beauty.shape[:2]
    for rows in down.parts:
        for _, same in groupby(across.parts, key=lambda part: part.stop - part.start):
            all_places = [(rows, columns) for columns in same]
            for first in range(0, len(all_places), estimator.sampling.batch_size):
                places = all_places[first : first + estimator.sampling.batch_size]
                stored = [beauty[place] for place in places]
                tiles = _predict(estimator, stored, name, places)
                for place, tile in zip(places, tiles, strict=True):
                    reference = enlarged(whole, height, width, *place)
                    albedo = tile[..., :3]
                    tile[..., :3] = np.clip(albedo * tone_gain(albedo, reference), 0, 1)
                    yield tile


def _predict(
    estimator: Estimator,
    stored: list[np.ndarray],
    field: str,
    places: list[tuple[slice, slice]],
) -> list[np.ndarray]:
    """Images of one size, uint16 [h, w, 3] => linear, float32 [h, w, 3 or 6] each.

    Args:
        field: name of the noise field.
        places: rows and columns of the images in the field, in pixels; each starts at a cell.
    """
    cell, sampling = factor(estimator.model.autoencoder), estimator.sampling
    channels = estimator.latent_shape(*stored[0].shape[:2])[0]
    noise = [
        field_noise(
            sampling.seed,
            field,
            sampling.ensemble.members,
            channels,
            *(_cells(part, cell) for part in place),
        )
        for place in places
    ]
    images = to_tensor(np.stack(stored).transpose(0, 3, 1, 2))
    albedo, uncertainty = estimator.predict(images, torch.stack(noise))
    linear = to_linear(_channels_last(albedo), estimator.model.space)
    if uncertainty is None:
        return list(linear)
    return list(np.concatenate([linear, _channels_last(uncertainty)], axis=-1))


def _cells(part: slice, cell: int) -> slice:
    return slice(part.start // cell, -(-part.stop // cell))


def _channels_last(images: torch.Tensor) -> np.ndarray:
    return images.permute(0, 2, 3, 1).cpu().numpy()


def _predicted(channels: np.ndarray, tiles: int) -> Predicted:
    """Split float16 [H, W, 3 or 6] into albedo and uncertainty."""
    uncertainty = channels[..., 3:] if channels.shape[2] == 6 else None
    return Predicted(channels[..., :3], uncertainty, tiles)
