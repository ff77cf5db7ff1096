"""One optimiser step: losses of the micro-batches, gradients, update, moving average."""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from torch.nn.utils import get_total_norm

from albedo_pipeline.models.ema import Ema
from albedo_pipeline.params.training_loop import TrainingLoop
from albedo_pipeline.training.batches import DeviceBatch
from albedo_pipeline.training.objectives.base import Objective
from albedo_pipeline.training.optimisation import Named, ema_decay, set_learning_rate
from albedo_pipeline.training.resume import Tensors

SCALE = 4096.0
"""What the summed loss is divided by before its gradient is taken: a number of elements of the
usual order, a power of two."""


@dataclass(frozen=True)
class Components:
    """What is trained, and what trains it; on this process's device."""

    accelerator: Accelerator
    objective: Objective
    """How the loss follows from the model."""
    model: torch.nn.Module
    """What computes the prediction, as Accelerate wraps it for training."""
    optimiser: AcceleratedOptimizer
    trained: Named
    """The parameters that are trained, by name."""
    ema: Ema
    """Moving average of the trained parameters."""

    def tensors(self) -> Tensors:
        """The tensors that a checkpoint stores."""
        return Tensors(self.trained, self.ema, self.optimiser.optimizer, self.accelerator.scaler)


def accumulate(
    components: Components,
    batches: Iterable[DeviceBatch],
    micro_batches: int,
    step: int,
) -> torch.Tensor:
    """Accumulate the gradient of the sum of this process's losses.

    Neither the micro-batches nor the processes have a mean of their own: `update` divides by the
    number of valid elements in the effective batch, so that the gradient does not depend on how
    the effective batch is split.

    Args:
        micro_batches: number of micro-batches in `batches`.
        step: number of the step (0-based).

    Returns:
        Summed over all processes: [sum of the loss, number of valid elements, sums of the parts,
        counts of the parts].
    """
    accelerator = components.accelerator
    totals: torch.Tensor | float = 0.0
    for number, batch in enumerate(batches, start=1):
        batch = batch.to(accelerator.device)
        last = number == micro_batches
        with nullcontext() if last else accelerator.no_sync(components.model):
            losses = components.objective.losses(components.model, batch, step)
            # Several processes take the mean of their gradients. The constant keeps the gradient
            # of half-precision activations in range; `update` takes it out again.
            accelerator.backward(losses.total * (accelerator.num_processes / SCALE))
        both = torch.stack([losses.total.detach(), losses.count])
        totals = totals + torch.cat([both, losses.part_totals, losses.part_counts])
    return accelerator.reduce(totals, "sum")


def update(
    components: Components,
    totals: torch.Tensor,
    rate: float,
    step: int,
    params: TrainingLoop,
) -> torch.Tensor:
    """Divide the gradient by the valid elements, clip it, update the weights and their average.

    If the loss or the gradient is not finite, or nothing is valid, the weights stay as they are.
    The device itself decides that, so nothing here waits for a GPU. Dividing and clipping are one
    division inside the fused optimiser (`grad_scale`), which saves two passes over the gradients.

    Args:
        totals: what `accumulate` returned.
        rate: learning rate of this step.
        step: number of the step (0-based).

    Returns:
        The loss, then `totals` without its first number, then the gradient's norm before clipping,
        then 1 if the step was skipped.
    """
    optimiser, weights = components.optimiser.optimizer, list(components.trained.values())
    gradients = [w.grad for w in weights if w.grad is not None]
    set_learning_rate(optimiser, rate)
    share = totals[1] / SCALE
    loss = totals[0] / totals[1]
    if components.accelerator.scaler is None:
        norm = get_total_norm(gradients) / share
        skipped = _not_finite(norm, loss)
        optimiser.grad_scale = share * (norm / params.max_grad_norm).clamp_min(1)
        optimiser.found_inf = skipped
    else:  # the gradients are scaled, and Accelerate's scaler decides which steps to skip
        torch._foreach_div_(gradients, share)
        norm = components.accelerator.clip_grad_norm_(weights, params.max_grad_norm)
        skipped = _not_finite(norm, loss)
    components.optimiser.step()
    components.optimiser.zero_grad()
    components.ema.update(ema_decay(params.ema, step))
    return torch.cat([loss[None], totals[1:], norm[None], skipped[None]])


def _not_finite(norm: torch.Tensor, loss: torch.Tensor) -> torch.Tensor:
    return (~(norm.isfinite() & loss.isfinite())).float()
