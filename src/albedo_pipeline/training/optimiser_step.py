"""One optimiser step: losses of the micro-batches, gradients, update, moving average."""

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
"""Number of equal ranges of timesteps whose losses are logged separately."""


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
        alphas_cumprod: of every timestep, [T], on that device.
        text_embedding: of the empty text, [1, L, D], on that device.
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
    """Sums of the losses [4] and of the valid cells [4] in each quarter of the timesteps."""
    quarter = batch.timesteps * QUARTERS // num_train_timesteps
    zeros = torch.zeros(QUARTERS, device=sums.device)
    cells = batch.valid.sum(dim=(1, 2, 3), dtype=torch.float32)
    return zeros.index_add(0, quarter, sums.detach()), zeros.index_add(0, quarter, cells)


@dataclass(frozen=True)
class TrainingComponents:
    """What is trained, and what trains it; on this process's device."""

    accelerator: Accelerator
    denoiser: Denoiser
    model: torch.nn.Module
    """The denoiser's UNet, as Accelerate wraps it for training."""
    optimiser: AcceleratedOptimizer
    trained: Named
    """The parameters that are trained, by name."""
    ema: Ema
    """Moving average of the trained parameters."""
    alphas_cumprod: torch.Tensor
    """Cumulative products of the noise schedule, [T]."""
    text_embedding: torch.Tensor
    """Embedding of the empty text, [1, L, D]."""

    def tensors(self) -> Tensors:
        """The tensors that a checkpoint stores."""
        return Tensors(self.trained, self.ema, self.optimiser.optimizer, self.accelerator.scaler)


def prepare(
    accelerator: Accelerator, denoiser: Denoiser, params: TrainParams
) -> TrainingComponents:
    """Move the denoiser to the device and make it ready to train.

    Raises:
        ProjectError: if a parameter group matches no parameter, or nothing is left to train.
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
    """Decay of the moving average at its update number `step` (0-based)."""
    if params.profile == "power":
        return power_decay(params.relative_width, step)
    return constant_decay(params.decay, step)


def accumulate(
    components: TrainingComponents,
    batches: Iterable[Batch],
    micro_batches: int,
    valid_cells: int,
    params: TrainParams,
) -> torch.Tensor:
    """Accumulate the gradient of this process's micro-batches.

    The loss is divided by the number of valid cells in the effective batch of all processes, so
    that the gradient does not depend on how the effective batch is split.

    Args:
        micro_batches: number of micro-batches in `batches`.
        valid_cells: number of valid cells in the effective batch.

    Returns:
        Summed over all processes: [loss, losses by quarter of the timesteps, cells by quarter].
    """
    accelerator = components.accelerator
    prediction_type = components.denoiser.scheduler.config.prediction_type
    # Several processes take the mean of their gradients.
    scale = accelerator.num_processes / valid_cells
    totals: torch.Tensor | float = 0.0
    for number, batch in enumerate(batches, start=1):
        batch = batch.to(accelerator.device)
        last = number == micro_batches
        with nullcontext() if last else accelerator.no_sync(components.model):
            sums = loss_sums(
                components.model,
                batch,
                components.alphas_cumprod,
                components.text_embedding,
                prediction_type,
                params.loss,
            )
            accelerator.backward(sums.sum() * scale)
        losses, cells = loss_by_quarter(sums, batch, len(components.alphas_cumprod))
        totals = totals + torch.cat([sums.detach().sum()[None] / valid_cells, losses, cells])
    return accelerator.reduce(totals, "sum")


def update(
    components: TrainingComponents,
    totals: torch.Tensor,
    rate: float,
    step: int,
    params: TrainParams,
) -> torch.Tensor:
    """Clip the gradient, update the weights and their average.

    If the loss or the gradient is not finite, the weights stay as they are. The device itself
    decides that, so nothing here waits for a GPU. Clipping is a division inside the fused optimiser
    (`grad_scale`), which saves a pass over the gradients.

    Args:
        totals: what `accumulate` returned.
        rate: learning rate of this step.
        step: number of the step (0-based).

    Returns:
        `totals`, then the gradient's norm before clipping, then 1 if the step was skipped.
    """
    optimiser, weights = components.optimiser.optimizer, list(components.trained.values())
    set_learning_rate(optimiser, rate)
    if components.accelerator.scaler is None:
        norm = get_total_norm([w.grad for w in weights if w.grad is not None])
        skipped = _not_finite(norm, totals)
        optimiser.grad_scale = (norm / params.max_grad_norm).clamp_min(1)
        optimiser.found_inf = skipped
    else:  # the gradients are scaled, and Accelerate's scaler decides which steps to skip
        norm = components.accelerator.clip_grad_norm_(weights, params.max_grad_norm)
        skipped = _not_finite(norm, totals)
    components.optimiser.step()
    components.optimiser.zero_grad()
    components.ema.update(ema_decay(params.ema, step))
    return torch.cat([totals, norm[None], skipped[None]])


def _not_finite(norm: torch.Tensor, totals: torch.Tensor) -> torch.Tensor:
    return (~(norm.isfinite() & totals[0].isfinite())).float()
