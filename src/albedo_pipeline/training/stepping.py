"""One optimiser step: micro-batches, gradients, update, average."""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from torch.nn.utils import get_total_norm

from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.models.ema import Ema, constant_decay, power_decay
from albedo_pipeline.params import TrainParams
from albedo_pipeline.params.optimisation import Ema as EmaParams
from albedo_pipeline.training.batches import Batch
from albedo_pipeline.training.optimisation import (
    Named,
    freeze,
    new_optimiser,
    set_learning_rate,
    train_mode,
)
from albedo_pipeline.training.state import Tensors
from albedo_pipeline.training.step import loss_by_quarter, loss_sums


@dataclass(frozen=True)
class Parts:
    """What is trained, and by what; on this process's device."""

    accelerator: Accelerator
    denoiser: Denoiser
    model: torch.nn.Module
    """The denoiser's UNet, as Accelerate wraps it for training."""
    optimiser: AcceleratedOptimizer
    trained: Named
    ema: Ema
    levels: torch.Tensor
    """alpha-bar of every timestep, [T]."""
    condition: torch.Tensor
    """Empty-text embedding, [1, L, D]."""

    def tensors(self) -> Tensors:
        """What a checkpoint stores."""
        return Tensors(self.trained, self.ema, self.optimiser.optimizer, self.accelerator.scaler)


def prepare(accelerator: Accelerator, denoiser: Denoiser, params: TrainParams) -> Parts:
    """Move the denoiser to the device and make it ready to train.

    Raises:
        ProjectError: where a parameter group fits nothing, or nothing is left to train.
    """
    unet = denoiser.unet.to(accelerator.device)
    if params.execution.channels_last:
        unet.to(memory_format=torch.channels_last)
    if params.execution.gradient_checkpointing:
        unet.enable_gradient_checkpointing()
    trained = freeze(unet, params.optimiser.groups)
    train_mode(unet)
    if params.execution.compile:
        unet.compile()
    optimiser = new_optimiser(trained, params.optimiser)
    model, optimiser = accelerator.prepare(unet, optimiser)
    return Parts(
        accelerator=accelerator,
        denoiser=denoiser,
        model=model,
        optimiser=optimiser,
        trained=trained,
        ema=Ema(trained.values()),
        levels=denoiser.levels().to(accelerator.device),
        condition=denoiser.condition.to(accelerator.device),
    )


def ema_decay(params: EmaParams, step: int) -> float:
    """Decay of the average's update after `step` earlier ones."""
    if params.profile == "power":
        return power_decay(params.relative_width, step)
    return constant_decay(params.decay, step)


def accumulate(
    parts: Parts,
    batches: Iterable[Batch],
    micro_batches: int,
    valid_cells: int,
    params: TrainParams,
) -> torch.Tensor:
    """Add the gradient of this process's micro-batches.

    Everything is divided by the valid cells of the whole effective batch, in all processes, so
    that no split of it changes the gradient.

    Returns:
        Over all processes: [loss, losses by quarter of the timesteps, cells by quarter].
    """
    accelerator = parts.accelerator
    prediction_type = parts.denoiser.scheduler.config.prediction_type
    # Where there are several processes, the mean of their gradients is taken.
    scale = accelerator.num_processes / valid_cells
    totals: torch.Tensor | float = 0.0
    for number, batch in enumerate(batches, start=1):
        batch = batch.to(accelerator.device)
        last = number == micro_batches
        with nullcontext() if last else accelerator.no_sync(parts.model):
            sums = loss_sums(
                parts.model, batch, parts.levels, parts.condition, prediction_type, params.loss
            )
            accelerator.backward(sums.sum() * scale)
        losses, cells = loss_by_quarter(sums, batch, len(parts.levels))
        totals = totals + torch.cat([sums.detach().sum()[None] / valid_cells, losses, cells])
    return accelerator.reduce(totals, "sum")


def update(
    parts: Parts, totals: torch.Tensor, rate: float, step: int, params: TrainParams
) -> torch.Tensor:
    """Clip, step and average; a loss or gradient that is not finite leaves the weights alone.

    Nothing here waits for a GPU: whether a step is left out is decided on the device. Clipping is
    a division inside the fused optimiser, which saves a pass over the gradients.

    Returns:
        `totals`, then the gradient's norm before clipping, then 1 if the step was left out.
    """
    optimiser, weights = parts.optimiser.optimizer, list(parts.trained.values())
    set_learning_rate(optimiser, rate)
    if parts.accelerator.scaler is None:
        norm = get_total_norm([w.grad for w in weights if w.grad is not None])
        skipped = _not_finite(norm, totals)
        optimiser.grad_scale = (norm / params.max_grad_norm).clamp_min(1)
        optimiser.found_inf = skipped
    else:  # the gradients are scaled, and Accelerate's scaler tells the optimiser what to leave out
        norm = parts.accelerator.clip_grad_norm_(weights, params.max_grad_norm)
        skipped = _not_finite(norm, totals)
    parts.optimiser.step()
    parts.optimiser.zero_grad()
    parts.ema.update(ema_decay(params.ema, step))
    return torch.cat([totals, norm[None], skipped[None]])


def _not_finite(norm: torch.Tensor, totals: torch.Tensor) -> torch.Tensor:
    return (~(norm.isfinite() & totals[0].isfinite())).float()
