"""Training of the denoiser: puts the parts together, runs the loop, returns the result."""

import logging
import time
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from accelerate import Accelerator
from diffusers import AutoencoderKL
from safetensors.torch import load_file

from albedo_pipeline.artifacts.checkpoints import Checkpoints, read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.autoencoder import factor
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params import TrainParams
from albedo_pipeline.provenance.run_record import record_text, run_record, write_record
from albedo_pipeline.runtime.checksums import damage
from albedo_pipeline.runtime.device import share_of_memory
from albedo_pipeline.runtime.distributed import (
    accelerated,
    any_process,
    micro_batch_ranges,
    run_on_main_and_broadcast,
    smallest_of_processes,
)
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.training.batches import Stream, usable
from albedo_pipeline.training.initial_denoiser import initial_denoiser
from albedo_pipeline.training.lineage import check_start
from albedo_pipeline.training.log import TrainingLog
from albedo_pipeline.training.objectives.end_to_end import EndToEndObjective
from albedo_pipeline.training.optimiser_step import TrainingComponents, prepare
from albedo_pipeline.training.pixel_batches import PixelStream
from albedo_pipeline.training.plan.micro_batch import planned_micro_batch_size
from albedo_pipeline.training.plan.networks import Networks
from albedo_pipeline.training.resume import (
    AVERAGES_FILE,
    TrainState,
    checkpoint_to_resume,
    configuration,
    frozen_digest,
    stored_log,
    stored_state,
)
from albedo_pipeline.training.stopping import StopRequest
from albedo_pipeline.training.trackers import start_trackers, track_text
from albedo_pipeline.training.trainer import Trainer
from albedo_pipeline.training.validation import ImageData, chosen_samples, validation_metric

logger = logging.getLogger(__name__)
DIVERGED = 1e4
"""Loss above which a training has diverged: latents and pixels have a standard deviation of about
1, so it is an error of 100 standard deviations."""


@dataclass(frozen=True)
class Trained:
    """Result of a training, on the CPU, with the averaged (EMA) weights."""

    denoiser: Denoiser
    autoencoder: AutoencoderKL
    """Autoencoder of the prediction: the one that was given, with the trained decoder if it was
    trained along."""
    log: pd.DataFrame
    """The training log."""


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
    # Both fail now rather than at the first validation.
    validation_metric(params.validation.metric)
    if params.validation.every or params.visualisation.every:
        chosen_samples(images.manifest, params.validation.split, 1)
    channels = stream.channels
    with (
        stop.listening(),
        accelerated(params.device, params.precision, params.execution.deterministic) as accelerator,
        ExitStack() as held,
    ):
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
        )
        checkpoint = run_on_main_and_broadcast(
            accelerator, lambda: _open_store(store, params, config, held)
        )
        state, rows = _restored(components, checkpoint, params)
        start_trackers(accelerator, tensorboard, state.run, state.step, params.weights_and_biases)
        if accelerator.is_main_process:
            record = run_record(
                params.model_dump(mode="json"), fingerprints, config["code"], processes
            )
            write_record(store.folder, record)
            track_text(accelerator, "train/record", record_text(record), state.step)
        log = TrainingLog(rows, lambda scalars, step: accelerator.log(scalars, step=step))
        trainer = Trainer(components, stream, images, params, store, config, state, log)
        try:
            trainer.run(stop)
        finally:
            for tracker in accelerator.trackers:
                tracker.finish()
        models = finished_models(components, params, store, state)
        check_not_diverged(log.table(), state, params)
        return Trained(*models, log.table())


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
        dict(start.unet.config), dict(images.autoencoder.config), stream.largest_size
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


def _open_store(
    store: Checkpoints, params: TrainParams, config: dict, held: ExitStack
) -> Path | None:
    """Lock the store for this training, and return the checkpoint to resume from."""
    held.enter_context(store.locked())
    return checkpoint_to_resume(store, params, config)


def _restored(
    components: TrainingComponents, checkpoint: Path | None, params: TrainParams
) -> tuple[TrainState, list[dict]]:
    """State and log rows to start with; the tensors of `components` are restored."""
    scoring = params.validation.model_dump(exclude={"every", "at_start", "batch_size"})
    if checkpoint is None:
        return TrainState(run=time.strftime("%Y%m%d-%H%M%S"), scoring=scoring), []
    components.tensors().read(checkpoint)
    if components.accelerator.scaler is not None:
        components.accelerator.scaler.load_state_dict(read_json(checkpoint, "state.json")["scaler"])
    state = stored_state(checkpoint)
    logger.info("train: resuming from %s (step %d)", checkpoint, state.step)
    if state.best and state.scoring != scoring:
        logger.warning("train: validation settings changed; earlier best checkpoints do not count")
        state.best, state.validated = [], None
    state.scoring = scoring
    return state, stored_log(checkpoint)


def check_not_diverged(log: pd.DataFrame, state: TrainState, params: TrainParams) -> None:
    """Check that the last weights, if they are the result, are not those of a diverged training.

    The weights of a diverged training may be finite, and without a validation nothing else looks at
    what they predict.

    Raises:
        ProjectError: if more than half of the steps were skipped because loss or gradient was not
            finite, or the mean loss at the last log point is above `DIVERGED`.
    """
    if params.output == "best":
        return
    losses = log["loss"].dropna().to_list() if "loss" in log else []
    if 2 * state.skipped > state.step:
        raise ProjectError(
            f"train: the loss or gradient was not finite in {state.skipped} of {state.step} steps; "
            "lower train.learning_rate.peak, or remove the samples that the log names"
        )
    if losses and losses[-1] > DIVERGED:
        raise ProjectError(
            f"train: diverged, the loss is {losses[-1]:.3g} at the end; lower "
            "train.learning_rate.peak"
        )


@torch.no_grad()
def finished_models(
    components: TrainingComponents, params: TrainParams, store: Checkpoints, state: TrainState
) -> tuple[Denoiser, AutoencoderKL]:
    """Denoiser and autoencoder with the EMA weights that `params.output` names, on the CPU.

    Raises:
        ProjectError: if a weight is not finite, or the best checkpoint is missing or damaged.
    """
    averages = dict(zip(components.trained, components.ema.shadows, strict=True))
    if params.output == "best":
        averages = _best_averages(store, state)
    # Takes Accelerate's mixed precision out of the model's `forward`.
    components.accelerator.unwrap_model(components.model, keep_fp32_wrapper=False)
    for name, weight in components.trained.items():
        if not averages[name].isfinite().all():
            raise ProjectError(
                f"train: the weights are not finite ({name}); lower train.learning_rate.peak"
            )
        weight.copy_(averages[name])
    denoiser, autoencoder = components.denoiser, components.autoencoder
    networks: tuple[Any, ...] = denoiser.unet, autoencoder
    for network in networks:
        network.to(device="cpu", memory_format=torch.contiguous_format)
        network.eval().requires_grad_(False)
        network.disable_gradient_checkpointing()
    return denoiser, autoencoder


def _best_averages(store: Checkpoints, state: TrainState) -> dict[str, torch.Tensor]:
    if not state.best:
        raise ProjectError("train.output: no validated checkpoint was kept; use 'last'")
    folder = store.path(state.best[0][0])
    complaint = damage(folder)
    if complaint is not None:
        raise ProjectError(f"{folder}: the best checkpoint is damaged ({complaint})")
    return load_file(folder / AVERAGES_FILE)
