"""An image at the size at which it is predicted, and its albedo at the image's own size again."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import interpolate

from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb, to_linear
from albedo_pipeline.imaging.pixels import as_float32, dequantize, quantize
from albedo_pipeline.imaging.resize import resize_image, resize_rows
from albedo_pipeline.imaging.stored_srgb import stored_srgb
from albedo_pipeline.inference.guided_enlargement import enlarge_guided
from albedo_pipeline.models.albedo_model import Space
from albedo_pipeline.params.sampling import Resampling


def processing_size(height: int, width: int, smallest: int, largest: int) -> tuple[int, int]:
    """Size at which an image is predicted.

    It is the image's own size if its longer side is from half of `smallest` to `largest`. The
    longer side of a smaller image becomes `smallest`, because it has too few latent cells, and that
    of a larger one `largest`.
    """
    longer = max(height, width)
    target = longer
    if longer < smallest / 2:
        target = smallest
    elif largest:
        target = min(longer, largest)
    scale = target / longer
    return max(1, round(height * scale)), max(1, round(width * scale))


def resized_beauty(beauty: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize uint16 [H, W, 3], sRGB-encoded, in linear light."""

    def rows_of(rows: slice) -> np.ndarray:
        return decode_srgb(dequantize(beauty[rows]))

    if size == beauty.shape[:2]:
        return beauty
    return stored_srgb(resize_rows(rows_of, beauty.shape, *size))


def at_own_size(albedo: np.ndarray, small: np.ndarray, beauty: np.ndarray) -> np.ndarray:
    """A predicted albedo at the size of its image: averaged over areas, or enlarged with a guide.

    Args:
        albedo: linear, float32 [h, w, 3].
        small: the beauty at the albedo's size, uint16 [h, w, 3], sRGB-encoded.
        beauty: uint16 [H, W, 3], sRGB-encoded.

    Returns:
        float16 [H, W, 3], linear.
    """
    height, width = beauty.shape[:2]
    if max(albedo.shape[:2]) > max(height, width):
        return resize_image(albedo, height, width).astype(np.float16)
    return enlarge_guided(albedo, small, beauty)


@dataclass(frozen=True)
class Resized:
    """Predicts a batch at another size than its own, and scores it at its own."""

    longer_side: int
    """Longer side at which images are predicted, pixels."""
    resampling: Resampling
    """See `params.sampling.ProcessingSize`."""

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Size at which an image is predicted."""
        if self.resampling == "predict":
            return processing_size(height, width, self.longer_side, self.longer_side)
        down, across = (side * self.longer_side // max(height, width) for side in (height, width))
        return max(1, down), max(1, across)

    def beauty(self, images: np.ndarray) -> np.ndarray:
        """Images as they are predicted: uint16 [B, 3, H, W] => [B, 3, h, w], sRGB-encoded."""
        size = self.size(*images.shape[-2:])
        if size == images.shape[-2:]:
            return images
        if self.resampling == "predict":
            rows = images.transpose(0, 2, 3, 1)
            resized = np.stack([resized_beauty(image, size) for image in rows])
            return resized.transpose(0, 3, 1, 2)
        return quantize(_bilinear(dequantize(images), size))

    def albedo(
        self, predicted: np.ndarray, space: Space, small: np.ndarray, images: np.ndarray
    ) -> np.ndarray:
        """Predictions at the images' own size.

        Args:
            predicted: float32 [B, 3, h, w], in the model's colour space.
            space: the model's colour space.
            small: what `beauty` gave, [B, 3, h, w].
            images: uint16 [B, 3, H, W], sRGB-encoded.

        Returns:
            float32 [B, 3, H, W], sRGB-encoded, in [0, 1].
        """
        size = images.shape[-2:]
        if size == small.shape[-2:] or self.resampling == "marigold":
            own = predicted if size == small.shape[-2:] else _bilinear(predicted, size)
            return encode_srgb(own) if space == "linear" else own
        linear = to_linear(predicted.transpose(0, 2, 3, 1), space)
        beauty = (batch.transpose(0, 2, 3, 1) for batch in (small, images))
        rows = [at_own_size(*row) for row in zip(linear, *beauty, strict=True)]
        return encode_srgb(as_float32(np.stack(rows))).transpose(0, 3, 1, 2)

    def uncertainty(self, predicted: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """The uncertainty, float32 [B, 1, h, w], at another size."""
        if self.resampling == "marigold":
            return _bilinear(predicted, size)
        rows = [resize_image(image.transpose(1, 2, 0), *size) for image in predicted]
        return np.stack(rows).transpose(0, 3, 1, 2)


def _bilinear(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize [B, C, H, W] with a triangle filter that is widened when it shrinks."""
    tensor = torch.from_numpy(np.ascontiguousarray(images, np.float32))
    return interpolate(
        tensor, size=size, mode="bilinear", align_corners=False, antialias=True
    ).numpy()
