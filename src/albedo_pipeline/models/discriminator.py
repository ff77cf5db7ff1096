"""Discriminators of image patches, for an adversarial loss."""

import torch
from torch import nn
from torch.nn.functional import avg_pool2d

_KERNEL = 4
"""Width of the convolutions, pixels, as in the paper's code."""


class PatchDiscriminator(nn.Sequential):
    """One logit for each overlapping patch of an image (PatchGAN; Isola et al. 2017, sec. 3.2.2).

    Group normalisation takes the place of batch normalisation, so that the logits of an image do
    not depend on the other images of its batch.
    """

    def __init__(self, channels: int, layers: int) -> None:
        """
        Args:
            channels: of the first layer, a multiple of 8; each further layer has twice as many.
            layers: number of layers that halve the image.
        """
        modules: list[nn.Module] = [nn.Conv2d(3, channels, _KERNEL, 2, 1), nn.LeakyReLU(0.2)]
        for layer in range(1, layers + 1):
            stride = 2 if layer < layers else 1
            modules += [
                nn.Conv2d(channels, 2 * channels, _KERNEL, stride, 1, bias=False),  # norm has one
                nn.GroupNorm(8, 2 * channels),
                nn.LeakyReLU(0.2),
            ]
            channels *= 2
        super().__init__(*modules, nn.Conv2d(channels, 1, _KERNEL, 1, 1))


class Discriminators(nn.Module):
    """Patch discriminators of an image at several sizes (Wang et al. 2018, sec. 3.2)."""

    def __init__(self, scales: int, channels: int, layers: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(channels, layers) for _ in range(scales))

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Logits of images [B, 3, H, W] in [-1, 1]: one [B, 1, h, w] for each scale, float32."""
        logits = []
        for number, discriminator in enumerate(self.scales):
            images = avg_pool2d(images, 2) if number else images
            logits.append(discriminator(images).float())
        return logits


def smallest_side(scales: int, layers: int) -> int:
    """Width and height of the smallest image that all scales can judge, pixels.

    The last two convolutions each take one pixel off, so they need three.
    """
    return 3 * 2 ** (layers + scales - 1)
