"""The autoencoder's own training step on fake tensors, with its discriminators."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from albedo_pipeline.params.autoencoder_training import AutoencoderTraining
from albedo_pipeline.training.autoencoder_task import AutoencoderComponents, prepare
from albedo_pipeline.training.image_batches import EncodedImageBatch, ImageBatch
from albedo_pipeline.training.optimiser_step import update
from albedo_pipeline.training.plan.fake_accelerator import FakeAccelerator
from albedo_pipeline.training.plan.fake_training import (
    FakeTraining,
    on_cpu,
    on_fake_tensors,
    plain_execution,
    started,
)
from albedo_pipeline.training.plan.networks import AutoencoderNetworks


@contextmanager
def fake_autoencoder_training(
    networks: AutoencoderNetworks, params: AutoencoderTraining, device: str
) -> Iterator[FakeTraining]:
    """Yield a training of the autoencoder on fake tensors; see `fake_training.started`.

    It has no LPIPS, whose weights are in a file of the user's: where LPIPS is the only loss, the
    squared error takes its place.

    Args:
        networks: what is trained.
        params: settings of the training.
        device: type of the device that is planned for, `cpu`, `cuda` or `mps`.
    """
    loss = params.loss.model_copy(update={"lpips_weight": 0.0})
    if not any((loss.mse_weight, loss.l1_weight, loss.gradient_weight)):
        loss = loss.model_copy(update={"mse_weight": 1.0})
    params = plain_execution(params).model_copy(update={"loss": loss, "lpips_weights": None})
    step = params.adversary.start_step if params.adversary else 0  # with a gradient penalty
    with torch.device("meta"):
        empty: Any = networks.new_autoencoder()
    with on_fake_tensors(device) as live:
        accelerator: Any = FakeAccelerator(networks.precision)
        components = prepare(accelerator, on_cpu(empty), params)
        yield started(
            components,
            sum(p.numel() for p in components.autoencoder.parameters()),
            lambda samples: new_image_batch(networks, params, samples),
            lambda: update_all(components, params, step),
            live,
            step,
            lambda last_step: step_shares(params, last_step),
            1,
        )


def step_shares(params: AutoencoderTraining, last_step: int | None) -> dict[int, float]:
    """Steps that stand for those before the adversary, with its penalty, and without it."""
    adversary = params.adversary
    if adversary is None:
        return {0: 1.0}
    start, penalty = adversary.start_step, adversary.gradient_penalty
    early = min(start, last_step) / last_step if last_step else 0.0
    every = penalty.every if penalty else 1
    late = {start: (1 - early) / every, start + 1: (1 - early) * (1 - 1 / every)}
    shares = ({0: early} if start else {}) | late
    return {step: share for step, share in shares.items() if share}


def update_all(components: AutoencoderComponents, params: AutoencoderTraining, step: int) -> None:
    """Update the autoencoder and its discriminators, as the training does after step `step`."""
    update(components, torch.ones(2), 1e-3, step, params)
    if components.adversary is not None:
        skipped = torch.zeros(())
        batch, norm = params.effective_batch_size, params.max_grad_norm
        accelerator = components.accelerator
        components.adversary.update(accelerator, batch, norm, step, step + 1, skipped)


def new_image_batch(
    networks: AutoencoderNetworks, params: AutoencoderTraining, samples: int
) -> ImageBatch:
    """A micro-batch as the training's stream draws it, without content."""
    images = torch.zeros(samples, 3, networks.side, networks.side)
    latents = torch.zeros(samples, networks.latent_channels, networks.cells, networks.cells)
    if params.stored_latents:
        return EncodedImageBatch(images, torch.zeros(samples, 0), torch.zeros(samples), latents)
    return ImageBatch(images, latents, torch.zeros(samples))
