"""Edge error: relative error of the image gradient within 2 pixels of the truth's edges.

    E = sqrt( sum |d(prediction) - d(truth)|² / sum |d(truth)|² )

d is the difference of two neighbouring pixels, horizontal or vertical, an RGB vector. Two pixels
are an edge if a channel of the truth differs by at least `EDGE`. Both sums run over all neighbours
that are at most `RADIUS` pixels from an edge. Two neighbours count only if both are valid, so the
border of the mask is not an edge.

0: every edge is as sharp as in the truth, and in its place. 1: as without any edge (a constant
prediction), or with doubled contrast. More than 1: edges in wrong places; a single step shifted by
one or two pixels scores √2, because it is missing in one place and wrong in another. Edges of the
prediction that are farther from those of the truth, such as a shadow's, do not count.

The differences are squared because a blurred prediction then scores between the sharp one and the
constant one. For a blur with the transfer function G, Parseval's theorem gives for all neighbours

    sum |d(prediction) - d(truth)|² = sum over frequencies of (1 - G)² |D(truth)|²,

which grows with the blur. With absolute values, a blurred step would score above 1: its difference
is too small in one place and too large in all places around.
"""

import torch
from torch.nn.functional import max_pool2d

from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.masked import masked

EDGE = 0.1
"""Difference of neighbouring pixels of the truth from which they are an edge, sRGB-encoded."""
RADIUS = 2
"""Largest distance from a pixel of an edge, in rows and columns, at which pixels are compared."""


def masked_edge_error(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """Relative root mean square error of the gradient near edges of the truth; [B].

    NaN if the truth has no edge.
    """
    x, y = masked(prediction, valid), masked(truth, valid)
    near = _near_edges(y, valid)
    error = torch.zeros(len(y), dtype=torch.float64, device=y.device)
    total = torch.zeros_like(error)
    for axis in (2, 3):
        counts = _both(near & valid, axis)
        difference = y.diff(dim=axis)
        error += masked(x.diff(dim=axis) - difference, counts).square().sum(dim=(1, 2, 3))
        total += masked(difference, counts).square().sum(dim=(1, 2, 3))
    return (error / total).sqrt()


def _near_edges(truth: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Whether a pixel is at most `RADIUS` from a pixel of an edge; bool [B, 1, H, W]."""
    touches = torch.zeros_like(valid)
    for axis in (2, 3):
        steps = truth.diff(dim=axis).abs().amax(dim=1, keepdim=True)
        edges = (steps >= EDGE) & _both(valid, axis)
        count = edges.shape[axis]
        touches.narrow(axis, 0, count).logical_or_(edges)
        touches.narrow(axis, valid.shape[axis] - count, count).logical_or_(edges)
    return max_pool2d(touches.float(), 2 * RADIUS + 1, stride=1, padding=RADIUS) > 0


def _both(pixels: torch.Tensor, axis: int) -> torch.Tensor:
    """Whether both of two neighbours along an axis are true; one shorter along the axis."""
    count = pixels.shape[axis] - 1
    return pixels.narrow(axis, 0, count) & pixels.narrow(axis, 1, count)


EDGE_ERROR = Metric(
    name="edge_error",
    label="Edge error",
    higher_is_better=False,
    main_order=65,
    function=masked_edge_error,
    colour_space="srgb",
    order=55,
)
