"""How much the albedo of one scene changes with its light; the truth is not needed."""

import torch

from albedo_pipeline.metrics.base import Quantity
from albedo_pipeline.metrics.masked import masked

CONSTANCY = Quantity(
    name="constancy", label="Constancy error", higher_is_better=False, main_order=100
)


def constancy_error(predictions: torch.Tensor, valid: torch.Tensor) -> float:
    """Root mean square deviation of a scene's predictions from their mean; 0 is constant.

    The variance over the lights is the unbiased one (over L - 1), so that sets with few lights
    and with many compare; it is averaged over channels and over the pixels valid in all L.

    Args:
        predictions: sRGB-encoded in [0, 1], [L, 3, H, W]: one scene and camera, L lights.
        valid: bool, [L, 1, H, W].

    Returns:
        In units of the encoded images; NaN where L < 2 or no pixel is valid in all.
    """
    shared = valid.all(dim=0, keepdim=True)
    known = masked(predictions, shared)
    squares = (known - known.mean(dim=0)).square().sum()
    count = (len(predictions) - 1) * shared.sum() * predictions.shape[1]
    return float((squares / count).sqrt())
