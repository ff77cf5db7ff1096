"""The training of the denoiser, from settings to the result."""

import logging
import time
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import load_file

from albedo_pipeline.artifacts.checkpoints import Checkpoints, damage, read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.denoiser import Denoiser, load_unet, new_scheduler, new_unet
from albedo_pipeline.models.lora import add_lora
from albedo_pipeline.models.text_embedding import (
    embed_empty_text,
    load_text_encoder,
    new_text_encoder,
)
from albedo_pipeline.params import TrainParams
from albedo_pipeline.provenance.run_record import record_text, run_record, write_record
from albedo_pipeline.runtime.distributed import (
    accelerated,
    any_process,
    micro_batch_ranges,
    run_on_main_and_broadcast,
)
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.training.batches import Stream, usable
from albedo_pipeline.training.log import TrainingLog
from albedo_pipeline.training.optimiser_step import TrainingComponents, prepare
from albedo_pipeline.training.resume import (
    TrainState,
    checkpoint_to_continue,
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


def initial_denoiser(params: TrainParams, latent_channels: int) -> Denoiser:
    """The denoiser before the first step: from scratch (a function of the seed) or pretrained."""
    torch.manual_seed(params.seed)
    if params.source == "pretrained":
        assert params.pretrained is not None  # which the settings' own check holds
        unet, text = (
            load_unet(params.pretrained, latent_channels),
            load_text_encoder(params.pretrained),
        )
    else:
        unet, text = (
            new_unet(params.scratch, latent_channels),
            new_text_encoder(params.scratch.text_width),
        )
    if params.lora:
        unet = add_lora(unet.requires_grad_(False), params.lora)
    return Denoiser(unet, new_scheduler(params.noise_schedule), embed_empty_text(*text))


def train_denoiser(
    latent_sets: dict[str, LatentShards],
    images: ImageData,
    params: TrainParams,
    store: Checkpoints,
    tensorboard: Path,
) -> tuple[Denoiser, pd.DataFrame]:
    """Train on the split `train`, or go on where an earlier call was cut off.

    Args:
        latent_sets: by name; `params.mixture` says which are used.
        images: for validation.
        store: where the checkpoints go.
        tensorboard: folder of the runs' events.

    Returns:
        The denoiser with EMA weights, on the CPU, and the log.

    Raises:
        Paused: where a signal or the time limit stopped it; run again to go on.
        ProjectError: where there is nothing to train on, the settings do not fit the checkpoints
            or the machine, another training writes here, or the training diverges.
    """
    stop = StopRequest(params.exit_after_minutes)
    stream = new_stream(latent_sets, params)
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
        processes = accelerator.num_processes
        micro_batch_ranges(0, processes, params.effective_batch_size, params.micro_batch_size)
        stop.any_process = lambda flag: any_process(accelerator, flag)
        parts = prepare(accelerator, initial_denoiser(params, channels), params)
        fingerprints = {name: latent_sets[name].fingerprint() for name in params.shares()}
        config = configuration(
            params,
            params.last_step(len(stream)),
            fingerprints,
            frozen_digest(parts.denoiser, parts.trained),
        )
        checkpoint = run_on_main_and_broadcast(
            accelerator, lambda: _begin(store, params, config, held)
        )
        images.autoencoder.to(accelerator.device).requires_grad_(False)
        state, rows = _restored(parts, checkpoint, params)
        start_trackers(accelerator, tensorboard, state.run, state.step, params.weights_and_biases)
        if accelerator.is_main_process:
            record = run_record(
                params.model_dump(mode="json"), fingerprints, config["code"], processes
            )
            write_record(store.folder, record)
            track_text(accelerator, "train/record", record_text(record), state.step)
        log = TrainingLog(rows, lambda scalars, step: accelerator.log(scalars, step=step))
        trainer = Trainer(parts, stream, images, params, store, config, state, log)
        try:
            trainer.run(stop)
        finally:
            for tracker in accelerator.trackers:
                tracker.finish()
        return finished_denoiser(parts, params, store, state), log.table()


def new_stream(latent_sets: dict[str, LatentShards], params: TrainParams) -> Stream:
    """The samples of the sets that `mixture` names, in the order of the names.

    Raises:
        ProjectError: where a name is unknown, or a set holds nothing to train on.
    """
    for name in params.shares():
        if name not in latent_sets:
            known = ", ".join(latent_sets)
            raise ProjectError(f"train.mixture: no latent set {name!r}; known are {known}")
    return Stream([usable(latent_sets[name], "train") for name in params.shares()], params)


def _begin(store: Checkpoints, params: TrainParams, config: dict, held: ExitStack) -> Path | None:
    """Take the folder for this training; the checkpoint to continue from."""
    held.enter_context(store.locked())
    return checkpoint_to_continue(store, params, config)


def _restored(
    parts: TrainingComponents, checkpoint: Path | None, params: TrainParams
) -> tuple[TrainState, list[dict]]:
    """State and log rows to begin with; the tensors are given to `parts`."""
    scoring = params.validation.model_dump(exclude={"every", "at_start", "batch_size"})
    if checkpoint is None:
        return TrainState(run=time.strftime("%Y%m%d-%H%M%S"), scoring=scoring), []
    parts.tensors().read(checkpoint)
    if parts.accelerator.scaler is not None:
        parts.accelerator.scaler.load_state_dict(read_json(checkpoint, "state.json")["scaler"])
    state = stored_state(checkpoint)
    logger.info("train: going on from %s (step %d)", checkpoint, state.step)
    if state.best and state.scoring != scoring:
        logger.warning("train: other settings of validation; the best so far is forgotten")
        state.best, state.validated = [], None
    state.scoring = scoring
    return state, stored_log(checkpoint)


@torch.no_grad()
def finished_denoiser(
    parts: TrainingComponents, params: TrainParams, store: Checkpoints, state: TrainState
) -> Denoiser:
    """The denoiser with the EMA weights of the configured checkpoint, on the CPU."""
    averages = dict(zip(parts.trained, parts.ema.shadows, strict=True))
    if params.output == "best":
        averages = _best_averages(store, state)
    unet = parts.accelerator.unwrap_model(parts.model, keep_fp32_wrapper=False)
    for name, weight in parts.trained.items():
        weight.copy_(averages[name])
    unet.to(device="cpu", memory_format=torch.contiguous_format).eval().requires_grad_(False)
    return Denoiser(unet, parts.denoiser.scheduler, parts.denoiser.text_embedding)


def _best_averages(store: Checkpoints, state: TrainState) -> dict[str, torch.Tensor]:
    if not state.best:
        raise ProjectError("train.output: no checkpoint was validated and kept; 'last' needs none")
    folder = store.path(state.best[0][0])
    complaint = damage(folder)
    if complaint is not None:
        raise ProjectError(f"{folder}: the best checkpoint is damaged ({complaint})")
    return load_file(folder / "ema.safetensors")
