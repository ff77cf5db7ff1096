"""The adversary of the autoencoder: discriminators, their loss, and their optimiser step."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import torch
from accelerate import Accelerator
from torch.linalg import vector_norm
from torch.nn.functional import relu, softplus
from torch.nn.utils import get_total_norm

from albedo_pipeline.models.discriminator import Discriminators
from albedo_pipeline.params.autoencoder_training import Adversary as AdversaryParams
from albedo_pipeline.training.image_batches import ImageBatch
from albedo_pipeline.training.optimisation import new_optimiser, set_learning_rate
from albedo_pipeline.training.resume import Opponents
from albedo_pipeline.training.schedules import learning_rate, value_at

_PREFIX = "discriminator."
"""Begins the names of the tensors in a checkpoint."""
_EPSILON, _LARGEST = 1e-4, 1e4
"""Added to the smaller gradient's norm, and largest adaptive weight, as in the code of Esser et al.
2021."""


def mean_of_logits(logits: list[torch.Tensor]) -> torch.Tensor:
    """Mean over patches and scales, summed over the batch, []."""
    return torch.stack([of_scale.mean(dim=(1, 2, 3)).sum() for of_scale in logits]).mean()


def generator_loss(fake: list[torch.Tensor], kind: str) -> torch.Tensor:
    """What the autoencoder lowers, summed over the batch, []; of logits of reconstructions."""
    if kind == "non_saturating":
        return mean_of_logits([softplus(-logits) for logits in fake])
    return -mean_of_logits(fake)


def discriminator_loss(
    real: list[torch.Tensor], fake: list[torch.Tensor], kind: str
) -> torch.Tensor:
    """What the discriminators lower, summed over the batch, []."""
    if kind == "wasserstein":
        return mean_of_logits(fake) - mean_of_logits(real)
    if kind == "hinge":
        real, fake = [relu(1 - logits) for logits in real], [relu(1 + logits) for logits in fake]
    else:
        real, fake = [softplus(-logits) for logits in real], [softplus(logits) for logits in fake]
    return mean_of_logits(real) + mean_of_logits(fake)


def r1_penalty(networks: Discriminators, images: torch.Tensor) -> torch.Tensor:
    """Half the squared norm of the gradient of the summed logits at true images, [].

    Sum over the batch; Mescheder et al. 2018, eq. 9, without its weight. In float32, because it is
    differentiated twice.
    """
    images = images.detach().requires_grad_()
    logits = torch.stack([of_scale.sum() for of_scale in networks(images)]).sum()
    (gradient,) = torch.autograd.grad(logits, images, create_graph=True)
    return gradient.square().sum() / 2


def interpolated_penalty(
    networks: Discriminators, images: torch.Tensor, reconstruction: torch.Tensor, mix: torch.Tensor
) -> torch.Tensor:
    """(norm of the gradient of the mean logit - 1)^2 between image and reconstruction, [].

    Sum over the batch; Gulrajani et al. 2017, eq. 3, without its weight. In float32, because it is
    differentiated twice.

    Args:
        networks: the discriminators; the mean of their logits is the paper's critic.
        images, reconstruction: float32 [B, 3, H, W], in [-1, 1].
        mix: share of the image in the point between the two, [B].
    """
    between = torch.lerp(reconstruction.detach(), images.detach(), mix.view(-1, 1, 1, 1))
    between.requires_grad_()
    (gradient,) = torch.autograd.grad(mean_of_logits(networks(between)), between, create_graph=True)
    return (vector_norm(gradient.flatten(1), dim=1) - 1).square().sum()


class Adversary:
    """Discriminators that learn in the same optimiser steps as the autoencoder."""

    part_names: ClassVar[tuple[str, ...]] = ("adversarial", "discriminator", "gradient_penalty")
    """Names of what is logged."""

    def __init__(
        self,
        params: AdversaryParams,
        last_layer: torch.Tensor,
        device: torch.device,
        autocast: Callable[[], AbstractContextManager],
        settings_path: str,
    ) -> None:
        """Make the discriminators; their weights are drawn from torch's global generator.

        Args:
            params: settings.
            last_layer: weight of the decoder's last layer.
            device: where the autoencoder is.
            autocast: context of mixed precision.
            settings_path: where the settings are, for errors.

        Raises:
            ProjectError: if torch has no such optimiser, or it does not accept the settings.
        """
        self.params, self._last_layer, self._autocast = params, last_layer, autocast
        networks = Discriminators(params.scales, params.channels, params.layers)
        # The plan's fake tensors cannot be moved.
        self.networks = networks if device.type == "cpu" else networks.to(device)
        self._trained = {_PREFIX + n: p for n, p in self.networks.named_parameters()}
        self._optimiser = new_optimiser(self._trained, params.optimiser, settings_path)
        self.adaptive_weight = torch.full((), 0.0 if params.adaptive else 1.0, device=device)
        """Ratio of the gradients in the step before; 0 in the first step with discriminators."""
        self._gradients = torch.zeros((2, *last_layer.shape), device=device)

    def opponents(self) -> Opponents:
        """The tensors that a checkpoint stores."""
        weights = self._trained | {_PREFIX + "adaptive_weight": self.adaptive_weight}
        return Opponents(weights, self._trained, self._optimiser)

    def losses(
        self, batch: ImageBatch, reconstruction: torch.Tensor, total: torch.Tensor, step: int
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The adversarial term, and accumulate the gradient of the discriminators.

        Args:
            batch: the true images.
            reconstruction: [B, 3, H, W], in [-1, 1].
            total: loss of the reconstruction without the adversarial term, summed over the batch.
            step: number of the optimiser step, 0-based.

        Returns:
            The weighted term, summed over the batch, []; sums of what is logged, by name.
        """
        params = self.params
        self.networks.requires_grad_(False)
        with self._autocast():
            adversarial = generator_loss(self.networks(reconstruction), params.kind)
        if params.adaptive:
            for place, loss in enumerate((total, adversarial)):
                (gradient,) = torch.autograd.grad(loss, self._last_layer, retain_graph=True)
                self._gradients[place] += gradient
        self.networks.requires_grad_(True)
        with self._autocast():
            real, fake = self.networks(batch.images), self.networks(reconstruction.detach())
            loss = discriminator_loss(real, fake, params.kind)
        parts = {"adversarial": adversarial, "discriminator": loss}
        penalty = params.gradient_penalty
        if penalty is not None and (step - params.start_step) % penalty.every == 0:
            parts["gradient_penalty"] = self._penalty(penalty.kind, batch, reconstruction)
            loss = loss + penalty.weight * penalty.every * parts["gradient_penalty"]
        loss.backward()
        return value_at(params.weight, step) * self.adaptive_weight * adversarial, parts

    def _penalty(self, kind: str, batch: ImageBatch, reconstruction: torch.Tensor) -> torch.Tensor:
        """The gradient penalty without its weight, summed over the batch, []."""
        if kind == "interpolated":
            return interpolated_penalty(self.networks, batch.images, reconstruction, batch.mix)
        return r1_penalty(self.networks, batch.images)

    @torch.no_grad()
    def update(
        self,
        accelerator: Accelerator,
        count: int,
        max_grad_norm: float,
        step: int,
        last_step: int,
        skipped: torch.Tensor,
    ) -> torch.Tensor:
        """Update the discriminators, and measure the adaptive weight of the next step.

        Args:
            accelerator: of this process.
            count: number of images in the effective batch.
            max_grad_norm: norm to which larger gradients are clipped.
            step: number of the optimiser step, 0-based.
            last_step: number of optimiser steps of the training.
            skipped: 1 if the autoencoder's step was skipped, [].

        Returns:
            1 if this step was skipped, because that one was or the gradient is not finite, [].
        """
        gradients = [p.grad for p in self._trained.values() if p.grad is not None]
        if accelerator.num_processes > 1:
            for gradient in (*gradients, self._gradients):
                gradient.copy_(accelerator.reduce(gradient, "sum"))
        norm = get_total_norm(gradients) / count
        skipped = torch.maximum(skipped, (~norm.isfinite()).float())
        start, params = self.params.start_step, self.params
        rate = learning_rate(params.learning_rate, step - start, max(1, last_step - start))
        set_learning_rate(self._optimiser, rate)
        optimiser: Any = self._optimiser  # the two are not in its type
        optimiser.grad_scale = count * (norm / max_grad_norm).clamp_min(1)
        optimiser.found_inf = skipped
        self._optimiser.step()
        self._optimiser.zero_grad()
        if params.adaptive:
            others, adversarial = (self._gradients / count).flatten(1).norm(dim=1)
            ratio = (others / (adversarial + _EPSILON)).clamp_max(_LARGEST)
            self.adaptive_weight.copy_(torch.where(ratio.isfinite(), ratio, self.adaptive_weight))
            self._gradients.zero_()
        return skipped
