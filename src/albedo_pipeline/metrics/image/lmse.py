"""Local mean square error: scale-invariant window by window (Grosse et al. 2009, section 4.1).

As in the MIT intrinsic images' code, windows are 20 pixels wide, 10 apart from the top left
corner, and one that would cross the right or lower border is left out, so that up to 9 pixels
there do not count. An image narrower or lower than a window has its windows cut to its size. The
score is the windows' summed error over their summed truth², so that a black prediction scores 1.
(That code summed truth² once a row of windows, which lets scores exceed 1; here every window
counts alike above and below.)

That code takes grey images. Here the three channels of a window share one scale, as in the
protocol that is usual on MPI Sintel (Chen & Koltun 2013): one scale a channel would forgive any
local colour cast, which is the light's colour left in the albedo.
"""

import torch
from torch.nn.functional import avg_pool2d

from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.masked import masked

WINDOW, STEP = 20, 10  # pixels


def masked_lmse(prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """sum over windows of min_s sum (s prediction - truth)², over sum of truth²; [B].

    Only valid pixels are in a window's sums. NaN also where the truth is black in all windows.
    """
    x, y = masked(prediction, valid), masked(truth, valid)
    power, product, total = (_window_sums(product) for product in (x * x, x * y, y * y))
    explained = torch.where(power > 0, product.square() / power, 0)
    error = (total - explained).clamp_min(0)  # the rest of a projection; rounding may go below 0
    return error.sum(dim=(1, 2, 3)) / total.sum(dim=(1, 2, 3))


def _window_sums(values: torch.Tensor) -> torch.Tensor:
    """[B, 3, H, W] => sum of each window over its pixels and channels, [B, 1, rows, columns]."""
    size = [min(WINDOW, side) for side in values.shape[-2:]]
    return avg_pool2d(values.sum(dim=1, keepdim=True), size, STEP, divisor_override=1)


LMSE = Metric(
    name="lmse",
    label="LMSE",
    higher_is_better=False,
    main_order=60,
    function=masked_lmse,
    colour_space="linear",
    scale_invariant=True,
    order=80,
)
