"""Test-time augmentation: an image is changed, predicted, and the change undone on the prediction.

An albedo is the same in a mirror, in another place and under another exposure, so predictions of
the changed images are further predictions of the image. The first is always the unchanged image.
The others are, in this order:

1. flipped left to right
2. shifted by half a latent cell down and right
3. flipped, and shifted by the same
4. half a stop darker
5. half a stop brighter; values above 1 are clipped
6. shifted by a quarter of a cell down and three quarters right
7. flipped, and shifted by the same
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import pad

from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb


@dataclass(frozen=True)
class Change:
    """A change of an image that its albedo does not depend on, or that can be undone."""

    flip: bool = False
    """Whether the image is mirrored left to right."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Shift down and to the right, as a share of a latent cell's width."""
    stops: float = 0.0
    """Exposure: linear values are multiplied by 2 to this power."""

    def pixels(self, cell: int) -> tuple[int, int]:
        """Shift down and to the right, in pixels.

        Args:
            cell: width of a latent cell, pixels.
        """
        down, right = (round(share * cell) for share in self.shift)
        return down, right

    def apply(self, images: torch.Tensor, cell: int) -> torch.Tensor:
        """Images [B, 3, H, W], sRGB-encoded, in [-1, 1] => changed images [B, 3, H + a, W + b].

        A shift of (a, b) pixels adds rows at the top and columns at the left, which repeat the
        border.
        """
        if self.flip:
            images = images.flip(-1)
        if self.stops:
            images = _exposed(images, 2.0**self.stops)
        down, right = self.pixels(cell)
        return pad(images, (right, 0, down, 0), mode="replicate") if down or right else images

    def apply_to_noise(self, noise: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """Noise [B, C, h, w] of the image => noise [B, C, height, width] of the changed image.

        The noise moves with the image, so that tiles have the same noise where they overlap.
        Further cells take the noise of the opposite border, far from where it stands already.
        """
        noise = noise.flip(-1) if self.flip else noise
        rows, columns = height - noise.shape[-2], width - noise.shape[-1]
        return pad(noise, (0, columns, 0, rows), mode="circular") if rows or columns else noise

    def undo(self, predictions: torch.Tensor, cell: int, height: int, width: int) -> torch.Tensor:
        """Predictions [B, 3, H', W'] of changed images => of the images, [B, 3, height, width]."""
        down, right = self.pixels(cell)
        part = predictions[..., down : down + height, right : right + width]
        return part.flip(-1) if self.flip else part


def _exposed(images: torch.Tensor, gain: float) -> torch.Tensor:
    """Multiply the linear light of sRGB-encoded images in [-1, 1]."""
    light = gain * decode_srgb((images.cpu().numpy() + 1) / 2)
    return torch.from_numpy(encode_srgb(np.minimum(light, 1)) * 2 - 1).to(images.device)


CHANGES = (
    Change(),
    Change(flip=True),
    Change(shift=(0.5, 0.5)),
    Change(flip=True, shift=(0.5, 0.5)),
    Change(stops=-0.5),
    Change(stops=0.5),
    Change(shift=(0.25, 0.75)),
    Change(flip=True, shift=(0.25, 0.75)),
)
"""The change of each member of an ensemble, in order."""
