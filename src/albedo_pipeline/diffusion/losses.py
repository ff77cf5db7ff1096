"""The masked loss, as sums: dividing is for whoever knows the whole effective batch."""

import torch


def masked_squared_error(
    prediction: torch.Tensor, target: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """Sum over the valid cells of the squared error, mean over channels; a float32 scalar.

    Args:
        prediction, target: [B, C, h, w].
        valid: [B, 1, h, w], 1 where the cell is valid; nothing passes where it is 0.
    """
    # Masked before it is squared: what is not finite must not reach the gradient either.
    error = torch.where(valid.bool(), prediction.float() - target.float(), 0.0)
    return error.square().mean(dim=1).sum()
