"""Exponential moving average of weights."""

import copy

import torch
from torch import nn


class Ema:
    """A shadow of a model whose weights follow w <- d w + (1 - d) model, after each step.

    The decay d warms up with (1 + step) / (10 + step), so that the random start is forgotten.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    def decay_at(self, step: int) -> float:
        """Decay of the update after `step` earlier ones."""
        return min(self.decay, (1 + step) / (10 + step))

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move towards the weights of `model`; `step` counts the earlier updates."""
        weight = 1 - self.decay_at(step)
        torch._foreach_lerp_(list(self.model.parameters()), list(model.parameters()), weight)
        for mine, theirs in zip(self.model.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)
