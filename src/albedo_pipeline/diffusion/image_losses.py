"""Losses of decoded images, as sums over valid pixels; the training divides them by their number.

Every function takes images [B, 3, H, W], sRGB-encoded in [0, 1], and a valid mask [B, 1, H, W] of
1 and 0, and returns the sum of each sample, float32 [B]. Pixels with 0 change neither loss nor
gradient.
"""

import torch
from torch.nn.functional import avg_pool2d


def gradient_loss(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor, scales: int
) -> torch.Tensor:
    """Absolute error of the differences of neighbouring pixels, at several scales.

    At scale s the images are averaged over blocks of 2^s pixels, of which a block counts if all its
    pixels are valid (the multi-scale gradient matching of Li & Snavely 2018, "MegaDepth", eq. 6,
    here on values instead of logarithms). A difference of blocks stands for the 4^s pixels of a
    block, so that a scale weighs as much as another. The sum is the mean over scales, directions
    and channels.
    """
    mask = valid.bool()
    # The mask comes first: infinities and NaN must not reach the gradient either.
    error = torch.where(mask, prediction.float() - truth.float(), 0.0)
    usable, total = mask.float(), torch.zeros(len(error), device=error.device)
    used = 0
    for scale in range(scales):
        if scale:
            if min(error.shape[-2:]) < 4:
                break
            error = avg_pool2d(error, 2)
            usable = (avg_pool2d(usable, 2) == 1).float()
        for axis in (-1, -2):
            length = error.shape[axis] - 1
            first, second = error.narrow(axis, 0, length), error.narrow(axis, 1, length)
            both = usable.narrow(axis, 0, length) * usable.narrow(axis, 1, length)
            difference = (second - first).abs().mean(dim=1, keepdim=True)
            total = total + 4**scale * (difference * both).sum(dim=(1, 2, 3))
        used += 1
    return total / (2 * used)


def constancy_loss(
    prediction: torch.Tensor, valid: torch.Tensor, is_second: torch.Tensor
) -> torch.Tensor:
    """Absolute difference of the predictions of one scene under two lights.

    Args:
        prediction: [B, 3, H, W].
        valid: [B, 1, H, W].
        is_second: bool [B]; true for a sample that shows the scene of the sample before it. Its sum
            is counted, over the pixels that are valid in both; all others are 0.
    """
    both = valid.bool() & valid.roll(1, dims=0).bool() & is_second.view(-1, 1, 1, 1)
    difference = prediction.float() - prediction.float().roll(1, dims=0)
    return torch.where(both, difference, 0.0).abs().mean(dim=1).sum(dim=(1, 2))
