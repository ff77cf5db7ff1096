"""Training of an `AutoencoderKL` on the user's pairs, on beauty and albedo alike."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.pixels import to_tensor
from albedo_pipeline.metrics.image.lpips import SMALLEST
from albedo_pipeline.models.autoencoder import (
    BUNDLED_AUTOENCODER,
    check_divisible,
    factor,
    load_pretrained,
    new_autoencoder,
    round_trip,
)
from albedo_pipeline.models.discriminator import smallest_side
from albedo_pipeline.params.autoencoder import AutoencoderParams, PretrainedAutoencoder
from albedo_pipeline.params.autoencoder_training import AutoencoderTraining
from albedo_pipeline.provenance.lineage import content_digest
from albedo_pipeline.provenance.weights import autoencoder_digest
from albedo_pipeline.runtime.distributed import accelerated, any_process, micro_batch_ranges
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.training.autoencoder_task import (
    AutoencoderComponents,
    AutoencoderTask,
    prepare,
)
from albedo_pipeline.training.image_batches import ImageStream
from albedo_pipeline.training.resume import configuration
from albedo_pipeline.training.run_loop import check_not_diverged, finished_averages, run_loop
from albedo_pipeline.training.stopping import StopRequest
from albedo_pipeline.training.stored_latents import StoredLatents, open_stored_latents
from albedo_pipeline.training.validation_scores import chosen_samples


def obtain_autoencoder(
    pairs: PairShards,
    manifest: pd.DataFrame,
    params: AutoencoderParams,
    store: Checkpoints,
    tensorboard: Path,
    latents: Callable[[], LatentShards],
) -> AutoencoderKL:
    """The autoencoder of the configured source, on the CPU.

    Args:
        pairs: images of all samples.
        manifest: sample_id, split and row of every sample.
        params: settings.
        store: folder of the checkpoints of a training.
        tensorboard: folder of the TensorBoard runs of a training.
        latents: as in `train_autoencoder`.

    Raises:
        Paused: if a signal or the time limit stopped a training; run again to resume.
        ProjectError: if a pretrained one cannot be loaded or lacks a weight, or as
            `train_autoencoder`.
    """
    if params.is_trained:
        return train_autoencoder(pairs, manifest, params, store, tensorboard, latents)
    return _loaded(params)


def _loaded(params: AutoencoderParams) -> AutoencoderKL:
    """The pretrained autoencoder; the bundled one if none is named."""
    if params.source == "bundled" or params.pretrained is None:
        bundled = PretrainedAutoencoder(model=str(BUNDLED_AUTOENCODER))
        return load_pretrained(bundled, params.loading)
    return load_pretrained(params.pretrained, params.loading)


def train_autoencoder(
    pairs: PairShards,
    manifest: pd.DataFrame,
    params: AutoencoderParams,
    store: Checkpoints,
    tensorboard: Path,
    latents: Callable[[], LatentShards],
) -> AutoencoderKL:
    """Train on the split `train`, or resume from the newest checkpoint; gives the EMA weights.

    If the encoder was trained, the scaling factor is set so that the latents of the training images
    have a mean square of 1.

    Args:
        pairs: images of all samples.
        manifest: sample_id, split and row of every sample.
        params: settings, with `training`.
        store: folder of the checkpoints.
        tensorboard: folder of the TensorBoard runs.
        latents: opens the latents that `encode` stored, for `training.stored_latents`.

    Raises:
        Paused: if a signal or the time limit stopped it; run again to resume.
        ProjectError: if the images or the crop do not fit the model, the settings do not fit the
            checkpoints, another training writes to the store, the training diverged, or the memory
            is too small.
    """
    training = params.training
    assert training is not None  # checked by AutoencoderParams
    stop = StopRequest(training.exit_after_minutes)
    path, deterministic = training.settings_path, training.execution.deterministic
    if training.validation.every or training.visualisation.every:
        chosen_samples(manifest, training.validation.split, 1, path)  # fails now
    with (
        stop.listening(),
        accelerated(params.device, params.precision, deterministic, "autoencoder") as accelerator,
        ExitStack() as held,
    ):
        batch, micro = training.effective_batch_size, training.micro_batch_size_as_number
        micro_batch_ranges(0, accelerator.num_processes, batch, micro, path)
        stop.any_process = lambda flag: any_process(accelerator, flag)
        torch.manual_seed(training.seed)
        start = new_autoencoder(training) if params.source == "train" else _loaded(params)
        weights = {} if params.source == "train" else {"start": autoencoder_digest(start)}
        rows = manifest.loc[manifest["split"] == "train", "row"].to_numpy()
        is_stored = training.stored_latents
        stored = open_stored_latents(latents, manifest, start) if is_stored else None
        stream = _stream(start, pairs, rows, training, stored)
        components = prepare(accelerator, start, training)
        weights |= components.lpips_digest() if training.learns_from_lpips else {}
        ids = [pairs.column("sample_id")[int(row)].as_py() for row in rows]
        fingerprints = {"pairs": pairs.fingerprint(), "train_samples": content_digest(ids)}
        if stored is not None:
            fingerprints["latents"] = stored.shards.fingerprint()
        last_step = training.last_step(len(stream))
        config = configuration(training, last_step, fingerprints, weights, __name__)
        task = AutoencoderTask(components, stream, training, pairs, manifest, params.precision)
        state, log = run_loop(task, training, store, tensorboard, config, fingerprints, stop, held)
        check_not_diverged(log, state, training)
        averages = finished_averages(task, training, store, state)
        device = accelerator.device
        return _finished(components, averages, pairs, rows, training, device)


@torch.no_grad()
def _finished(
    components: AutoencoderComponents,
    averages: dict[str, torch.Tensor],
    pairs: PairShards,
    rows: np.ndarray,
    training: AutoencoderTraining,
    device: torch.device,
) -> AutoencoderKL:
    """The autoencoder with the averaged weights and their scaling factor, on the CPU.

    Raises:
        ProjectError: if its images or latents are not finite.
    """
    # Takes Accelerate's mixed precision out of the model's `forward`.
    components.accelerator.unwrap_model(components.model, keep_fp32_wrapper=False)
    for name, weight in components.trained.items():
        weight.copy_(averages[name])
    model: Any = components.autoencoder
    model.disable_gradient_checkpointing()
    model.to(memory_format=torch.contiguous_format)
    model.eval().requires_grad_(False)
    deviation = latent_deviation(model, pairs, rows, device)
    if not (np.isfinite(deviation) and deviation > 0 and _decodes(model, pairs, rows[0], device)):
        raise ProjectError(
            "autoencoder.training: the training diverged, its images or latents are not finite; "
            "lower autoencoder.training.learning_rate.peak"
        )
    if training.train != "decoder":
        model.register_to_config(scaling_factor=1 / deviation)
    return model.cpu()


def _decodes(model: AutoencoderKL, pairs: PairShards, row: int, device: torch.device) -> bool:
    """Whether a beauty image comes back with finite values."""
    image = to_tensor(pairs.batch("beauty", [row]))
    return bool(round_trip(model, image, device, "fp32").isfinite().all())


def _stream(
    model: AutoencoderKL,
    pairs: PairShards,
    rows: np.ndarray,
    training: AutoencoderTraining,
    latents: StoredLatents | None,
) -> ImageStream:
    """
    Raises:
        ProjectError: if images or crop do not fit the model, or the crop the discriminators.
    """
    if not len(rows):
        raise ProjectError("autoencoder: no sample is in the split 'train'; change ingest.split")
    shapes = np.unique(pairs.shapes("beauty"), axis=0)
    for shape in shapes:
        check_divisible(model, tuple(shape))
    largest, cell = int(shapes[:, 1:].min()), factor(model)
    side = training.crop or largest
    if side > largest or side % cell:
        raise ProjectError(
            f"autoencoder.training.crop: {side} must be a multiple of {cell} and at most "
            f"{largest}, the images' size"
        )
    adversary = training.adversary
    if adversary is not None and side < smallest_side(adversary.scales, adversary.layers):
        raise ProjectError(
            f"autoencoder.training.adversary: its {adversary.layers} layers and {adversary.scales} "
            f"scales need crops of {smallest_side(adversary.scales, adversary.layers)} pixels, but "
            f"they have {side}; lower layers or scales"
        )
    if training.loss.lpips_weight and side < SMALLEST:
        raise ProjectError(
            f"autoencoder.training.loss.lpips_weight: LPIPS needs crops of {SMALLEST} pixels, but "
            f"they have {side}"
        )
    if training.lpips_weights is not None and largest < SMALLEST:
        raise ProjectError(
            f"autoencoder.training.lpips_weights: LPIPS needs images of {SMALLEST} pixels, but "
            f"they have {largest}"
        )
    cells = side // cell
    shape = (model.config.latent_channels, cells, cells)
    return ImageStream(pairs, rows, training, side, shape, latents)


@torch.no_grad()
def latent_deviation(
    autoencoder: AutoencoderKL, pairs: PairShards, rows: np.ndarray, device: torch.device
) -> float:
    """Root mean square of the unscaled, shifted posterior means, of at most 1,023 samples."""
    shift = autoencoder.config.shift_factor or 0.0
    means: Iterator[torch.Tensor] = (
        autoencoder.encode(to_tensor(pairs.batch(name, [row])).to(device)).latent_dist.mode()
        for row in rows[:: max(1, len(rows) // 512)]
        for name in ("beauty", "albedo")
    )
    return float(torch.stack([(mean - shift).square().mean() for mean in means]).mean().sqrt())
