"""How much the predicted albedo of a scene changes with its light; needs no true albedo."""

import torch

from albedo_pipeline.metrics.base import Quantity
from albedo_pipeline.metrics.masked import masked

CONSTANCY = Quantity(
    name="constancy", label="Constancy error", higher_is_better=False, main_order=100
)


def constancy_error(predictions: torch.Tensor, valid: torch.Tensor) -> float:
    """Root mean square deviation of a scene's predictions from their mean; 0 if all are equal.

    The variance over the lights is unbiased (divided by L - 1), so that sets with few and with many
    lights can be compared. It is averaged over the channels and the pixels that are valid in all L.

    Args:
        predictions: sRGB-encoded in [0, 1], [L, 3, H, W]: one scene and camera, L lights.
        valid: bool, [L, 1, H, W].

    Returns:
        The deviation in units of the encoded images; NaN if L < 2 or no pixel is valid in all L.
    """
    shared = valid.all(dim=0, keepdim=True)
    values = masked(predictions, shared)
    squares = (values - values.mean(dim=0)).square().sum()
    count = (len(predictions) - 1) * shared.sum() * predictions.shape[1]
    return float((squares / count).sqrt())
