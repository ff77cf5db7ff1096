"""What the loop does for the autoencoder."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from diffusers import AutoencoderKL

from albedo_pipeline.metrics.image.lpips import Weights
from albedo_pipeline.models.ema import Ema
from albedo_pipeline.params.autoencoder_training import AutoencoderTraining
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.training.adversary import Adversary
from albedo_pipeline.training.lpips_weights import lpips_digest, lpips_weights
from albedo_pipeline.training.objectives.reconstruction import ReconstructionObjective, RoundTrip
from albedo_pipeline.training.optimisation import freeze, new_optimiser, train_mode
from albedo_pipeline.training.optimiser_step import Components
from albedo_pipeline.training.resume import Tensors
from albedo_pipeline.training.round_trip_validation import (
    higher_is_better,
    metrics_with,
    round_trip_scores,
    round_trip_strips,
)
from albedo_pipeline.training.task import Task
from albedo_pipeline.training.validation_scores import chosen_samples, ema_and_raw, mean_scores

ENCODER, DECODER = ("encoder.", "quant_conv."), ("decoder.", "post_quant_conv.")
"""How the names of the parameters of the two parts begin."""


@dataclass(frozen=True)
class AutoencoderComponents(Components):
    """The autoencoder, and what trains it."""

    autoencoder: AutoencoderKL
    adversary: Adversary | None
    """Discriminators that are trained against the autoencoder; None if there are none."""
    lpips: Weights | None
    """Weights of LPIPS, on the CPU; None if there are none."""

    def tensors(self) -> Tensors:
        """The tensors that a checkpoint stores, those of the discriminators included."""
        tensors = super().tensors()
        if self.adversary is None:
            return tensors
        return replace(tensors, opponents=self.adversary.opponents())

    def lpips_digest(self) -> dict[str, str]:
        """Digest of the weights of LPIPS as `lpips`; empty if there are none."""
        return {} if self.lpips is None else {"lpips": lpips_digest(self.lpips)}


def prepare(
    accelerator: Accelerator, autoencoder: AutoencoderKL, params: AutoencoderTraining
) -> AutoencoderComponents:
    """Move the autoencoder to the device and make it ready to train.

    The weights of the discriminators are drawn from torch's global generator.

    Raises:
        ProjectError: if a parameter group matches no parameter, nothing is left to train, torch
            has no such optimiser, or the weights of LPIPS cannot be read.
    """
    lpips = None
    if params.lpips_weights is not None:
        lpips = lpips_weights(params.lpips_weights, f"{params.settings_path}.lpips_weights")
    network: Any = autoencoder
    network.to(accelerator.device)
    frozen = {"encoder": DECODER, "decoder": ENCODER, "all": ()}[params.train]
    for name, parameter in autoencoder.named_parameters():
        parameter.requires_grad_(not name.startswith(tuple(frozen)))
    if params.execution.channels_last:
        network.to(memory_format=torch.channels_last)
    if params.execution.gradient_checkpointing:
        autoencoder.enable_gradient_checkpointing()
    trained = freeze(autoencoder, params.optimiser.groups, params.settings_path)
    train_mode(autoencoder)
    if params.execution.compile:
        autoencoder.encoder.compile()
        autoencoder.decoder.compile()
    trains_encoder = any(name.startswith(ENCODER) for name in trained)
    adversary = None
    if params.adversary is not None:
        last_layer = autoencoder.decoder.conv_out.weight
        adversary = Adversary(
            params.adversary,
            last_layer,
            accelerator.device,
            accelerator.autocast,
            f"{params.settings_path}.adversary",
        )
    in_loss = None
    if lpips is not None and params.loss.lpips_weight:
        in_loss = {name: weight.to(accelerator.device) for name, weight in lpips.items()}
    model, optimiser = accelerator.prepare(
        RoundTrip(autoencoder, trains_encoder),
        new_optimiser(trained, params.optimiser, params.settings_path),
    )
    return AutoencoderComponents(
        accelerator=accelerator,
        objective=ReconstructionObjective(params.loss, trains_encoder, adversary, in_loss),
        model=model,
        optimiser=optimiser,
        trained=trained,
        ema=Ema(trained.values()),
        autoencoder=autoencoder,
        adversary=adversary,
        lpips=lpips,
    )


@dataclass(frozen=True)
class AutoencoderTask(Task):
    """The training of the autoencoder."""

    components: AutoencoderComponents
    params: AutoencoderTraining
    pairs: PairShards
    """Images of all samples."""
    manifest: pd.DataFrame
    """sample_id, split and row of every sample."""
    precision: str
    """Precision of the forward pass."""

    @property
    def metric(self) -> tuple[str, bool]:
        """Name of the score that ranks checkpoints, and whether higher is better."""
        name = self.params.validation.metric
        return name, higher_is_better(name)

    def scoring(self) -> dict[str, Any]:
        """What the scores of a validation depend on, besides the weights."""
        digest = self.components.lpips_digest() if self.params.is_ranked_by_lpips else {}
        return super().scoring() | digest

    def update(self, totals: torch.Tensor, rate: float, step: int) -> torch.Tensor:
        """Update the weights and their moving average, then the discriminators."""
        results = super().update(totals, rate, step)
        adversary, params = self.components.adversary, self.params
        if adversary is None or step < adversary.params.start_step:
            return results
        skipped = adversary.update(
            self.accelerator,
            params.effective_batch_size,
            params.max_grad_norm,
            step,
            params.last_step(len(self)),
            results[-1],
        )
        return torch.cat([results[:-1], skipped[None]])

    def scalars(self, step: int) -> dict[str, float]:
        """The adaptive weight of the adversarial term, if there is one."""
        adversary = self.components.adversary
        if adversary is None or not adversary.params.adaptive:
            return {}
        return {"adaptive_weight": float(adversary.adaptive_weight)}

    def validate(self, stop: Callable[[], bool]) -> dict[str, float] | None:
        """Mean scores of round trips by averaged and by raw weights."""
        validation, components = self.params.validation, self.components
        samples = self._samples(validation.samples)
        batches = self.pairs.batches(samples["row"], validation.batch_size)
        metrics = metrics_with(components.lpips)

        def score(batch: np.ndarray) -> list[dict[str, str | float]]:
            model, device = components.autoencoder, self.accelerator.device
            return round_trip_scores(model, self.pairs, batch, device, self.precision, metrics)

        def scores() -> dict[str, float] | None:
            components.autoencoder.eval()
            try:
                return mean_scores(batches, score, self.accelerator, stop)
            finally:
                train_mode(components.autoencoder)

        return ema_and_raw(components.ema, scores)

    def picture(self) -> np.ndarray:
        """Strips of validation samples, reconstructed by the averaged weights."""
        components, samples = self.components, self._samples(self.params.visualisation.samples)
        with components.ema.in_place():
            components.autoencoder.eval()
            try:
                return round_trip_strips(
                    components.autoencoder,
                    self.pairs,
                    samples,
                    self.accelerator.device,
                    self.precision,
                )
            finally:
                train_mode(components.autoencoder)

    def _samples(self, count: int) -> pd.DataFrame:
        split, path = self.params.validation.split, self.params.settings_path
        return chosen_samples(self.manifest, split, count, path)
