"""Intensity and chromaticity error of Measured Albedo in the Wild (Wu et al. 2023).

Both follow the published code (numerical_albedo.py and run_cmp.py: `--loss si --metric mean` and
`--loss per_si --metric deltae`). A patch is an area of measured colour. It is compared by its mean
linear colour, and its weight is its number of pixels. Published tables give the mean over images,
intensity times 100.

That code takes 8-bit predictions, resized to 320 x 240 (bilinear and sRGB-encoded; labels by
nearest neighbour). Here the caller resizes, and nothing is rounded to 8 bits.
"""

import numpy as np
import torch

from albedo_pipeline.metrics.base import Quantity
from albedo_pipeline.metrics.cielab import ciede2000, linear_to_lab

MAW_INTENSITY = Quantity(
    name="maw_intensity", label="MAW intensity error", digits=4, higher_is_better=False
)
MAW_CHROMATICITY = Quantity(
    name="maw_chromaticity", label="MAW chromaticity error, ΔE00", digits=2, higher_is_better=False
)

ADOBE_TO_REC709 = np.array([[1.39836, -0.39836, 0], [0, 1, 0], [0, -0.04293, 1.04293]])
"""Linear Adobe RGB (1998) => linear Rec.709, both with white point D65. The test derives it from
the primaries."""


def measured_colours(stored: np.ndarray) -> np.ndarray:
    """Colours of the data set, linear Adobe RGB [n, 3] => linear Rec.709 [n, 3], in [0, 1]."""
    return (stored @ ADOBE_TO_REC709.T).clip(0, 1)


def patch_means(albedo: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean linear colours [n, 3] and pixel counts [n] of the patches, in the order of their labels.

    Args:
        albedo: linear Rec.709, [H, W, 3].
        labels: integers [H, W]; 0 marks pixels of no patch. A patch without pixels is not returned.
    """
    names, members = np.unique(labels, return_inverse=True)
    members = members.ravel()
    pixels = np.bincount(members)
    colours = albedo.reshape(-1, 3)
    sums = [np.bincount(members, weights=colours[:, channel]) for channel in range(3)]
    patches = names != 0
    return (np.stack(sums, axis=1) / pixels[:, None])[patches], pixels[patches]


def maw_intensity(predicted: np.ndarray, measured: np.ndarray, pixels: np.ndarray) -> float:
    """Weighted mean of (s predicted - measured)² over the patches' grey (mean of R, G, B).

    The scale s of the image is found by least squares with the same weights. NaN without patches.

    Args:
        predicted, measured: colours of the patches, linear Rec.709, [n, 3].
        pixels: number of pixels of each patch [n], its weight.
    """
    if not len(pixels):
        return np.nan
    x, y = predicted.mean(axis=1), measured.mean(axis=1)
    scale = (pixels * x * y).sum() / max((pixels * x * x).sum(), 1e-6)
    return float(np.average((scale * x - y) ** 2, weights=pixels))


def maw_chromaticity(predicted: np.ndarray, measured: np.ndarray, pixels: np.ndarray) -> float:
    """Weighted mean CIEDE2000 of the patches, each of them scaled to its measured grey first.

    Channels that exceed 1 after scaling are clipped. Arguments as in `maw_intensity`.
    """
    if not len(pixels):
        return np.nan
    x, y = predicted.mean(axis=1), measured.mean(axis=1)
    scale = x * y / np.maximum(x * x, 1e-6)
    scaled = (scale[:, None] * predicted).clip(max=1)
    labs = [linear_to_lab(torch.from_numpy(np.array(c, np.float64))) for c in (scaled, measured)]
    return float(np.average(ciede2000(*labs).numpy(), weights=pixels))
