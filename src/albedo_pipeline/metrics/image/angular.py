"""Mean angular error of colour: the angle between RGB vectors, which ignores their length.

It is the error measure of colour constancy (Hordley & Finlayson 2006: "recovery angular error"),
here computed for every pixel.
"""

import torch

from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.masked import masked, masked_mean

BLACK = 1e-3
"""Linear RGB vectors shorter than this (about 3 steps of 8-bit sRGB) have no reliable colour."""


def masked_angular(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """Mean angle between the linear RGB vectors, degrees in [0, 90]; [B].

    Valid pixels that are black in either image do not count. NaN if no pixel counts.
    """
    x, y = masked(prediction, valid), masked(truth, valid)
    lengths = [image.norm(dim=1, keepdim=True) for image in (x, y)]
    coloured = valid & (lengths[0] >= BLACK) & (lengths[1] >= BLACK)
    # acos(cosine) would lose all digits at small angles.
    sine = torch.linalg.cross(x, y, dim=1).norm(dim=1, keepdim=True)
    cosine = (x * y).sum(dim=1, keepdim=True)
    return masked_mean(torch.rad2deg(torch.atan2(sine, cosine)), coloured)


ANGULAR = Metric(
    name="angular",
    label="Angular error",
    unit="°",
    digits=2,
    higher_is_better=False,
    function=masked_angular,
    colour_space="linear",
    scale_invariant=True,
    order=90,
)
