"""Training of the denoiser: puts the parts together, runs the loop, returns the result."""

import os
from contextlib import AbstractContextManager, ExitStack
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from accelerate import Accelerator
from diffusers import AutoencoderKL

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.autoencoder import factor
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params import TrainParams
from albedo_pipeline.runtime.device import share_of_memory
from albedo_pipeline.runtime.distributed import (
    accelerated,
    any_process,
    micro_batch_ranges,
    run_on_main_and_broadcast,
    smallest_of_processes,
)
from albedo_pipeline.runtime.remote_folder import cache_folder
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.shards.remote_rows import cached
from albedo_pipeline.training.batches import Stream, usable
from albedo_pipeline.training.denoiser_components import TrainingComponents, prepare
from albedo_pipeline.training.denoiser_task import DenoiserTask
from albedo_pipeline.training.initial_denoiser import initial_denoiser
from albedo_pipeline.training.lineage import check_start
from albedo_pipeline.training.objectives.end_to_end import EndToEndObjective
from albedo_pipeline.training.pixel_batches import PixelStream
from albedo_pipeline.training.plan.micro_batch import planned_micro_batch_size
from albedo_pipeline.training.plan.networks import Networks
from albedo_pipeline.training.resume import configuration, frozen_digest
from albedo_pipeline.training.run_loop import check_not_diverged, finished_averages, run_loop
from albedo_pipeline.training.stopping import StopRequest
from albedo_pipeline.training.validation import ImageData
from albedo_pipeline.training.validation_metric import metric_digest, validation_metric
from albedo_pipeline.training.validation_scores import chosen_samples


@dataclass(frozen=True)
class Trained:
    """Result of a training, on the CPU, with the averaged (EMA) weights."""

    denoiser: Denoiser
    autoencoder: AutoencoderKL
    """Autoencoder of the prediction: the one that was given, with the trained decoder if it was
    trained along."""
    log: pd.DataFrame
    """The training log."""
    history: list[dict[str, Any]]
    """Changes of course, as dictionaries; see `resume.Steering`."""
    run: str
    """Name of the run in TensorBoard and log."""


def train_denoiser(
    latent_sets: dict[str, LatentShards],
    images: ImageData,
    params: TrainParams,
    store: Checkpoints,
    tensorboard: Path,
) -> Trained:
    """Train on the split `train`, or resume from the newest checkpoint.

    Args:
        latent_sets: latent shards by name; `params.mixture` says which are used.
        images: what validation predicts and compares with, and what augmentation and the objective
            `end_to_end` train on.
        store: folder of the checkpoints.
        tensorboard: folder of the TensorBoard runs.

    Raises:
        Paused: if a signal or the time limit stopped it; run again to resume.
        ProjectError: if there is nothing to train on, the settings do not fit the checkpoints or
            the machine, another training writes to the store, or the training diverges.
    """
    if params.train_decoder is not None:  # the given one stays as it is
        images = replace(images, autoencoder=deepcopy(images.autoencoder))
    stop = StopRequest(params.exit_after_minutes)
    stream = new_stream(latent_sets, images, params)
    # All of these fail now rather than at the first validation.
    validation = params.validation
    validation_metric(validation)
    sets = images.of_sets(validation.sets)
    if validation.every or params.visualisation.every:
        for name, one in sets.items():
            chosen_samples(one.manifest, validation.split, 1, name=name)
    channels = stream.channels
    with (
        stop.listening(),
        accelerated(params.device, params.precision, params.execution.deterministic) as accelerator,
        ExitStack() as held,
    ):
        for name in params.shares():
            held.enter_context(_cached(latent_sets[name], params))
        processes, size = accelerator.num_processes, params.micro_batch_size
        ranges = micro_batch_ranges(
            0,
            processes,
            params.effective_batch_size,
            params.effective_batch_size if size == "auto" else size,
        )
        if params.has_light_pairs and len(ranges[0]) % 2:
            raise ProjectError(
                "train.end_to_end.constancy_weight: a micro-batch needs an even number of samples, "
                f"but {processes} processes have {len(ranges[0])}; change effective_batch_size"
            )
        stop.any_process = lambda flag: any_process(accelerator, flag)
        start = initial_denoiser(params, channels)
        digests = {}
        if params.start_from:
            check_start(params.start_from, start, images.autoencoder)
            digests["start_from"] = start.digest()
        params = _planned(accelerator, start, stream, images, params, store)
        components = prepare(accelerator, start, images.autoencoder, params)
        objective = components.objective
        if isinstance(objective, EndToEndObjective) and objective.features:
            digests["features"] = objective.features.digest()
        if params.learning_rate.decay == "plateau":
            digests |= {f"validation.{k}": v for k, v in metric_digest(validation).items()}
        fingerprints = {name: latent_sets[name].fingerprint() for name in params.shares()}
        if params.needs_pixels:
            fingerprints["pairs"] = images.pairs.fingerprint()
        frozen = frozen_digest(
            start, components.trained, images.autoencoder if params.needs_pixels else None
        )
        config = configuration(
            params,
            params.last_step(len(stream)),
            fingerprints,
            {"frozen_weights": frozen, **digests},
            __name__,
        )
        task = DenoiserTask(components, stream, params, images)
        state, log = run_loop(task, params, store, tensorboard, config, fingerprints, stop, held)
        models = finished_models(components, finished_averages(task, params, store, state))
        check_not_diverged(log, state, params)
        history = [asdict(steering) for steering in state.history]
        return Trained(*models, log, history, state.run)


def _cached(latents: LatentShards, params: TrainParams) -> AbstractContextManager[None]:
    """Keeps copies of latents that are in object storage; the processes of a machine share them."""
    folder, limit = params.cache.folder, params.cache.gigabytes * 1e9
    where = Path(folder) if folder else cache_folder() / "latents"
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # torchrun's, on this machine
    users = processes * len(params.shares())
    return cached(latents.folder, latents.index.shards, where, int(limit), users)


def new_stream(
    latent_sets: dict[str, LatentShards], images: ImageData, params: TrainParams
) -> Stream:
    """The samples of the latent sets that `mixture` names, in the order of the names.

    Raises:
        ProjectError: if a name is unknown, or a set has no sample to train on.
    """
    for name in params.shares():
        if name not in latent_sets:
            known = ", ".join(latent_sets)
            raise ProjectError(f"train.mixture: no latent set {name!r}; known sets are {known}")
    sources = [usable(latent_sets[name], "train") for name in params.shares()]
    if params.needs_pixels:
        return PixelStream(sources, params, images.pairs, factor(images.autoencoder))
    return Stream(sources, params)


def _planned(
    accelerator: Accelerator,
    start: Denoiser,
    stream: Stream,
    images: ImageData,
    params: TrainParams,
    store: Checkpoints,
) -> TrainParams:
    """The settings with the micro-batch size as a number; the main process logs the plan.

    On a CPU the plan takes longer than the first steps of a small model, so there it is made for
    `auto` alone; the pipeline `plan` makes it anywhere.
    """
    if params.micro_batch_size != "auto" and accelerator.device.type == "cpu":
        return params
    free = smallest_of_processes(accelerator, share_of_memory(accelerator.device))
    networks = Networks(
        unet=dict(start.unet.config),
        autoencoder=dict(images.autoencoder.config),
        size=stream.largest_size,
    )
    size = run_on_main_and_broadcast(
        accelerator,
        lambda: planned_micro_batch_size(
            networks,
            params,
            device=accelerator.device.type,
            free_memory=free,
            processes=accelerator.num_processes,
            last_step=params.last_step(len(stream)),
            folder=store.folder,
        ),
    )
    return params.model_copy(update={"micro_batch_size": size})


@torch.no_grad()
def finished_models(
    components: TrainingComponents, averages: dict[str, torch.Tensor]
) -> tuple[Denoiser, AutoencoderKL]:
    """Denoiser and autoencoder with the averaged (EMA) weights, on the CPU."""
    # Takes Accelerate's mixed precision out of the model's `forward`.
    components.accelerator.unwrap_model(components.model, keep_fp32_wrapper=False)
    for name, weight in components.trained.items():
        weight.copy_(averages[name])
    denoiser, autoencoder = components.denoiser, components.autoencoder
    networks: tuple[Any, ...] = denoiser.unet, autoencoder
    for network in networks:
        network.to(device="cpu", memory_format=torch.contiguous_format)
        network.eval().requires_grad_(False)
        network.disable_gradient_checkpointing()
    return denoiser, autoencoder
