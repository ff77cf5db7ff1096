"""Which latent cells can be trusted."""

import torch
from torch.nn.functional import max_pool2d


def latent_mask(valid: torch.Tensor, factor: int) -> torch.Tensor:
    """[B, 1, H, W] bool => [B, 1, h, w] bool: a cell is valid if all its factor² pixels are."""
    return max_pool2d((~valid).float(), kernel_size=factor) == 0
