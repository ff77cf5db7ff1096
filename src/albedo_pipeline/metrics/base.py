"""What a metric is."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

MetricFunction = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Metric:
    """A masked image metric."""

    name: str
    function: MetricFunction
    """(prediction [B, 3, H, W], truth [B, 3, H, W], valid bool [B, 1, H, W]) => [B]. Images are
    in [0, 1]. A sample without a pixel to judge gives NaN."""
    higher_is_better: bool
    colour_space: str
    """Of both images: `srgb` (encoded) or `linear`."""
    unit: str = ""
