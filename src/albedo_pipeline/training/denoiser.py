"""The training of the denoiser."""

from typing import Any

import pandas as pd
import torch

from albedo_pipeline.datasets.latent_shards import LatentShards
from albedo_pipeline.models.denoiser import Denoiser, load_unet, new_scheduler, new_unet
from albedo_pipeline.models.device import pick_device
from albedo_pipeline.models.ema import Ema
from albedo_pipeline.models.text_condition import empty_condition, load_text, new_text
from albedo_pipeline.params import TrainParams
from albedo_pipeline.progress import progress
from albedo_pipeline.training.batches import draw_batch, usable_rows
from albedo_pipeline.training.log import TrainingLog
from albedo_pipeline.training.schedules import learning_rate_factor
from albedo_pipeline.training.step import loss_sum


def initial_denoiser(params: TrainParams, latent_channels: int) -> Denoiser:
    """The denoiser before the first step: from scratch (a function of the seed) or pretrained."""
    torch.manual_seed(params.seed)
    if params.source == "pretrained":
        unet, text = load_unet(params.pretrained, latent_channels), load_text(params.pretrained)
    else:
        unet, text = new_unet(params.scratch, latent_channels), new_text(params.scratch.text_width)
    return Denoiser(unet, new_scheduler(params.noise_schedule), empty_condition(*text))


def train_denoiser(
    latents: LatentShards, params: TrainParams, writer: Any
) -> tuple[Denoiser, pd.DataFrame]:
    """Train on the split `train`.

    Args:
        latents: of the whole project.
        writer: TensorBoard's SummaryWriter.

    Returns:
        The denoiser with EMA weights, on the CPU, and the log: one row every `log_every` steps.

    Raises:
        ProjectError: where there is nothing to train on, or the loss is not finite.
    """
    device = pick_device(params.device)
    rows = usable_rows(latents, "train")
    denoiser = initial_denoiser(params, latent_channels=latents.shape("albedo")[1])
    unet = denoiser.unet.to(device).train()
    ema = Ema(unet, params.ema_decay)
    optimiser = torch.optim.AdamW(
        unet.parameters(), betas=params.betas, weight_decay=params.weight_decay, foreach=True
    )
    levels, condition = denoiser.levels().to(device), denoiser.condition.to(device)
    log = TrainingLog(writer, params.log_every, params.effective_batch_size, len(rows))

    for step in progress(range(params.max_steps), params.max_steps, "train"):
        batch = draw_batch(
            latents,
            rows,
            params.seed,
            step,
            params.effective_batch_size,
            params.flip_probability,
            len(levels),
        )
        # One divisor for all micro-batches: the gradient does not depend on the split.
        valid_cells = batch.valid.sum().clamp_min(1).to(device)
        loss = torch.zeros((), device=device)
        for start in range(0, params.effective_batch_size, params.micro_batch_size):
            part = batch.part(start, start + params.micro_batch_size, device)
            part_loss = loss_sum(denoiser, part, levels, condition, params.precision) / valid_cells
            part_loss.backward()
            loss += part_loss.detach()
        norm = torch.nn.utils.clip_grad_norm_(unet.parameters(), params.max_grad_norm)
        rate = learning_rate(params, step)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        optimiser.zero_grad()
        ema.update(unet, step)
        log.add(
            step,
            loss,
            norm,
            last=step + 1 == params.max_steps,
            learning_rate=rate,
            ema_decay=ema.decay_at(step),
        )
    writer.close()
    trained = Denoiser(ema.model.cpu(), denoiser.scheduler, denoiser.condition)
    return trained, pd.DataFrame(list(log))


def learning_rate(params: TrainParams, step: int) -> float:
    """Learning rate of a step (0-based)."""
    rate = params.learning_rate
    return rate.peak * learning_rate_factor(
        step, params.max_steps, rate.warmup_steps, rate.decay, rate.final_ratio
    )
