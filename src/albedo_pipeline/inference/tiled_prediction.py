"""Albedo of one image of any size: in one pass, or in tiles."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from math import isqrt

import numpy as np
import torch

from albedo_pipeline.imaging.colour import to_linear
from albedo_pipeline.imaging.pixels import as_float32, to_tensor
from albedo_pipeline.imaging.resize import resize_image
from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.inference.noise_field import field_noise
from albedo_pipeline.inference.resampling import at_own_size, processing_size, resized_beauty
from albedo_pipeline.inference.tiling import Axis, axis_tiles, blend, enlarged, tone_gain
from albedo_pipeline.models.autoencoder import factor
from albedo_pipeline.runtime.progress import progress

_FEW = 8
"""Number of tiles up to which no progress of their own is shown."""


@dataclass(frozen=True)
class TiledPrediction:
    """At which size an image is predicted, and in which tiles; sizes are in pixels."""

    smallest: int
    """Longer side that an image of less than half of it is enlarged to; 0 enlarges none."""
    largest: int
    """Longer side that a larger image is reduced to; 0 reduces none."""
    whole_pixels: int = 0
    """Pixels up to which an image is predicted in one pass; 0 is no limit."""
    tile: int = 0
    """Width and height of a tile of larger images; 0: as large as `whole_pixels` allows."""
    overlap: float = 0.25
    """Least overlap of neighbouring tiles, as a share of a tile's width."""

    def is_tiled(self, height: int, width: int) -> bool:
        """Whether an image that is predicted at this size takes tiles."""
        return 0 < self.whole_pixels < height * width

    def axes(self, height: int, width: int, cell: int) -> tuple[Axis, Axis]:
        """Rows and columns of tiles of an image that is predicted at this size.

        Args:
            cell: width of a latent cell, pixels.
        """
        side = max(cell, (self.tile or isqrt(self.whole_pixels)) // cell * cell)
        down, across = (axis_tiles(n, side, self.overlap, cell) for n in (height, width))
        return down, across

    def passes(self, height: int, width: int, cell: int) -> int:
        """Number of times that parts of an image of any size go through the networks."""
        size = processing_size(height, width, self.smallest, self.largest)
        if not self.is_tiled(*size):
            return 1
        down, across = self.axes(*size, cell)
        return 1 + len(down.parts) * len(across.parts)


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
    """Predict an image at its processing size, then bring the result to the image's own size.

    Args:
        beauty: uint16 [H, W, 3], sRGB-encoded.
        name: name of the image, for the noise and the progress.
    """
    height, width = beauty.shape[:2]
    size = processing_size(height, width, layout.smallest, layout.largest)
    image = resized_beauty(beauty, size)
    if layout.is_tiled(*size):
        channels, tiles = _predict_in_tiles(estimator, image, name, layout)
    else:
        channels, tiles = _predict_whole(estimator, image, name), 0
    if size == (height, width):
        return _predicted(channels.astype(np.float16, copy=False), tiles)
    other = as_float32(channels[..., 3:])  # the uncertainty, which has no edges to keep
    albedo = at_own_size(as_float32(channels[..., :3]), image, beauty)
    if not other.shape[2]:
        return Predicted(albedo, None, tiles)
    return Predicted(albedo, resize_image(other, height, width).astype(np.float16), tiles)


def _predict_whole(estimator: Estimator, image: np.ndarray, name: str) -> np.ndarray:
    """Linear albedo and, if there is one, uncertainty; float32 [H, W, 3 or 6]."""
    height, width = image.shape[:2]
    everything = (slice(0, height), slice(0, width))
    return _predict(estimator, [image], f"{name}\0whole", [everything])[0]


def _predict_in_tiles(
    estimator: Estimator, image: np.ndarray, name: str, layout: TiledPrediction
) -> tuple[np.ndarray, int]:
    """Predict the reduced image, then tiles in its tone; float16 [H, W, 3 or 6], and their number.

    The reduced image is as large as one pass may be.
    """
    height, width = image.shape[:2]
    scale = (layout.whole_pixels / (height * width)) ** 0.5
    reduced = (max(1, int(height * scale)), max(1, int(width * scale)))
    whole = _predict_whole(estimator, resized_beauty(image, reduced), name)[..., :3]
    down, across = layout.axes(height, width, factor(estimator.model.autoencoder))
    total = len(down.parts) * len(across.parts)
    tiles = _predict_tiles(estimator, image, name, whole, down, across)
    if total > _FEW:
        tiles = progress(tiles, total, f"{name}, tiles")
    channels = 3 if estimator.sampling.ensemble.members == 1 else 6
    return blend(down, across, channels, tiles), total


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
