"""Valid masks: which pixels of the albedo can be trusted, and which latent cells."""

import numpy as np
import torch
from torch.nn.functional import max_pool2d


def trusted(beauty: np.ndarray, albedo: np.ndarray) -> np.ndarray:
    """[H, W] bool: finite and not negative in both [H, W, 3] images."""
    both = np.concatenate([beauty, albedo], axis=-1)
    with np.errstate(invalid="ignore"):
        return np.isfinite(both).all(axis=-1) & (both >= 0).all(axis=-1)


def latent_mask(valid: torch.Tensor, factor: int) -> torch.Tensor:
    """[B, 1, H, W] bool => [B, 1, h, w] bool: a cell is valid if all its factor² pixels are."""
    return max_pool2d((~valid).float(), kernel_size=factor) == 0
