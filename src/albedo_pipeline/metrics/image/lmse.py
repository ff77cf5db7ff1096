"""Local mean square error, scale-invariant in each window (Grosse et al. 2009, section 4.1).

As in the code of MIT Intrinsic Images, windows are 20 pixels wide and start every 10 pixels from
the top left corner. Windows that would cross the right or lower border are left out, so up to 9
pixels there do not count. In an image smaller than a window, the window is cut to the image's size.
The score is the windows' summed error divided by their summed truth², so a black prediction scores
1. (That code sums truth² once per row of windows, which lets scores exceed 1. Here every window
counts once in the numerator and once in the denominator.)

That code takes grey images. Here the three channels of a window share one scale, as is usual on MPI
Sintel (Chen & Koltun 2013). One scale per channel would ignore any local colour cast, that is, the
light's colour left in the albedo.
"""

import torch
from torch.nn.functional import avg_pool2d

from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.masked import masked

WINDOW, STEP = 20, 10  # pixels


def masked_lmse(prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Sum over windows of min_s sum (s prediction - truth)², divided by that of truth²; [B].

    Only valid pixels enter a window's sums. NaN also if the truth is black in all windows.
    """
    x, y = masked(prediction, valid), masked(truth, valid)
    xx, xy, yy = (_window_sums(product) for product in (x * x, x * y, y * y))
    # min_s sum (s x - y)² = sum y² - (sum x y)² / sum x²; rounding can make it slightly negative.
    explained = torch.where(xx > 0, xy.square() / xx, 0)
    error = (yy - explained).clamp_min(0)
    return error.sum(dim=(1, 2, 3)) / yy.sum(dim=(1, 2, 3))


def _window_sums(values: torch.Tensor) -> torch.Tensor:
    """[B, 3, H, W] => sum over pixels and channels of each window, [B, 1, rows, columns]."""
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
