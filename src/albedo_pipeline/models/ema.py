"""Exponential moving average of weights."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
import torch


def constant_decay(decay: float, step: int) -> float:
    """`decay` with the warm-up (1 + step) / (10 + step), so that the random start is forgotten.

    `step` is the number of earlier updates.
    """
    return min(decay, (1 + step) / (10 + step))


@cache
def power_exponent(relative_width: float) -> float:
    """Exponent g of the power profile with the standard deviation `relative_width`.

    The width w is a share of the training so far; g is the largest root of
    w^2 (g + 2)^2 (g + 3) = g + 1 (Karras et al. 2024, "Analyzing and improving the training
    dynamics of diffusion models", app. C).
    """
    inverse = relative_width**-2
    return float(np.roots([1, 7, 16 - inverse, 12 - inverse]).real.max())


def power_decay(relative_width: float, step: int) -> float:
    """Decay (1 - 1/t)^(g + 1) of the power profile (same paper, sec. 3.1), with t = step + 1.

    The average always covers the same share of the training so far. `step` is the number of earlier
    updates.
    """
    return (1 - 1 / (step + 1)) ** (power_exponent(relative_width) + 1)


class Ema:
    """Moving averages of tensors: shadow <- decay shadow + (1 - decay) tensor."""

    def __init__(self, tensors: Iterable[torch.Tensor]) -> None:
        self._tensors = list(tensors)
        self.shadows = [tensor.detach().clone() for tensor in self._tensors]

    @torch.no_grad()
    def update(self, decay: float) -> None:
        """Move the shadows towards the tensors."""
        torch._foreach_lerp_(self.shadows, self._tensors, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Swap the averages into the tensors while the context lasts."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for tensor, shadow in zip(self._tensors, self.shadows, strict=True):
            kept = tensor.clone()
            tensor.copy_(shadow)
            shadow.copy_(kept)
