"""One micro-batch: noise, prediction, and the masked loss of each sample."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from torch.nn.utils import get_total_norm

from albedo_pipeline.diffusion.losses import masked_loss, min_snr_weight
from albedo_pipeline.diffusion.process import add_noise, training_target
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.models.ema import Ema, constant_decay, power_decay
from albedo_pipeline.params import TrainParams
from albedo_pipeline.params.optimisation import Ema as EmaParams
from albedo_pipeline.params.optimisation import Loss
from albedo_pipeline.training.batches import Batch
from albedo_pipeline.training.optimisation import (
    Named,
    freeze,
    new_optimiser,
    set_learning_rate,
    train_mode,
)
from albedo_pipeline.training.resume import Tensors

QUARTERS = 4
"""Parts of the timesteps whose losses are told apart."""


def loss_sums(
    unet: Callable,
    batch: Batch,
    alphas_cumprod: torch.Tensor,
    text_embedding: torch.Tensor,
    prediction_type: str,
    params: Loss,
) -> torch.Tensor:
    """Sum of the loss over each sample's valid cells, float32 [B].

    Args:
        unet: in training mode, on the batch's device.
        levels: alpha-bar of every timestep, [T], on that device.
        condition: empty-text embedding [1, L, D], on that device.
    """
    alpha_cumprod = alphas_cumprod[batch.timesteps].view(-1, 1, 1, 1)
    noisy = add_noise(batch.albedo, batch.noise, alpha_cumprod)
    target = training_target(batch.albedo, batch.noise, alpha_cumprod, prediction_type)
    prediction = unet(
        torch.cat([batch.beauty, noisy], dim=1),  # [B, 2C, h, w]
        batch.timesteps,
        text_embedding.expand(len(noisy), -1, -1),
    ).sample
    sums = masked_loss(prediction, target, batch.valid, params.kind, params.huber_delta)
    if params.min_snr_gamma is not None:
        sums = sums * min_snr_weight(alpha_cumprod, params.min_snr_gamma, prediction_type).flatten()
    return sums


def loss_by_quarter(
    sums: torch.Tensor, batch: Batch, num_train_timesteps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Losses [4] and valid cells [4] of the batch, summed by quarter of the timesteps."""
    quarter = batch.timesteps * QUARTERS // num_train_timesteps
    zeros = torch.zeros(QUARTERS, device=sums.device)
    cells = batch.valid.sum(dim=(1, 2, 3), dtype=torch.float32)
    return zeros.index_add(0, quarter, sums.detach()), zeros.index_add(0, quarter, cells)


@dataclass(frozen=True)
class TrainingComponents:
    """What is trained, and by what; on this process's device."""

    accelerator: Accelerator
    denoiser: Denoiser
    model: torch.nn.Module
    """The denoiser's UNet, as Accelerate wraps it for training."""
    optimiser: AcceleratedOptimizer
    trained: Named
    ema: Ema
    alphas_cumprod: torch.Tensor
    """alpha-bar of every timestep, [T]."""
    text_embedding: torch.Tensor
    """Empty-text embedding, [1, L, D]."""

    def tensors(self) -> Tensors:
        """What a checkpoint stores."""
        return Tensors(self.trained, self.ema, self.optimiser.optimizer, self.accelerator.scaler)


def prepare(
    accelerator: Accelerator, denoiser: Denoiser, params: TrainParams
) -> TrainingComponents:
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
    return TrainingComponents(
        accelerator=accelerator,
        denoiser=denoiser,
        model=model,
        optimiser=optimiser,
        trained=trained,
        ema=Ema(trained.values()),
        alphas_cumprod=denoiser.alphas_cumprod().to(accelerator.device),
        text_embedding=denoiser.text_embedding.to(accelerator.device),
    )


def ema_decay(params: EmaParams, step: int) -> float:
    """Decay of the average's update after `step` earlier ones."""
    if params.profile == "power":
        return power_decay(params.relative_width, step)
    return constant_decay(params.decay, step)


def accumulate(
    parts: TrainingComponents,
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
                parts.model,
                batch,
                parts.alphas_cumprod,
                parts.text_embedding,
                prediction_type,
                params.loss,
            )
            accelerator.backward(sums.sum() * scale)
        losses, cells = loss_by_quarter(sums, batch, len(parts.alphas_cumprod))
        totals = totals + torch.cat([sums.detach().sum()[None] / valid_cells, losses, cells])
    return accelerator.reduce(totals, "sum")


def update(
    parts: TrainingComponents, totals: torch.Tensor, rate: float, step: int, params: TrainParams
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
