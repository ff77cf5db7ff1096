"""The first lines of a training: what its steps take, and the micro-batch that fits."""

import logging
import shutil
from pathlib import Path

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params import TrainParams
from albedo_pipeline.training.plan.estimate import Plan, fits, make_plan, micro_batch_sizes
from albedo_pipeline.training.plan.networks import Networks

logger = logging.getLogger(__name__)
_GIB = 2**30


def planned_micro_batch_size(
    networks: Networks,
    params: TrainParams,
    *,
    device: str,
    free_memory: int,
    processes: int,
    last_step: int,
    folder: Path,
) -> int:
    """Log the plan, and return `train.micro_batch_size`; for `auto`, the largest that fits.

    Args:
        networks: what is trained.
        params: settings of the training.
        device: type of the device, `cpu`, `cuda` or `mps`.
        free_memory: bytes that each process can still use there, before the networks are on it.
        processes: number of processes.
        last_step: number of optimiser steps.
        folder: folder of the checkpoints; it need not exist.

    Raises:
        ProjectError: if the size is `auto`, and not even the smallest micro-batch fits.
    """
    size = params.micro_batch_size
    sizes = (
        micro_batch_sizes(params, processes)
        if size == "auto"
        else (min(size, params.effective_batch_size // processes),)
    )
    checkpointing = params.execution.gradient_checkpointing
    plan = make_plan(networks, params, device, sizes, (checkpointing,), last_step, processes)
    cost = plan.costs[0]
    chosen = cost.largest_fitting(free_memory, device) if size == "auto" else sizes[0]
    shown = chosen or sizes[0]
    needs = (
        f"a step with micro-batches of {shown} needs {cost.peaks[shown] / _GIB:.3g} GiB, and "
        f"{free_memory / _GIB:.3g} GiB is free"
    )
    if chosen is None:
        raise ProjectError(
            f"train.micro_batch_size: even the smallest does not fit: {needs} of which a part is "
            "for the kernels; set train.execution.gradient_checkpointing or train.lora, or free "
            "memory of the device"
        )
    logger.info(
        "train: %.3g M parameters, %.3g M trained; %.3g TFLOP per sample; %.3g GiB between two "
        "steps; %s",
        plan.parameters / 1e6,
        plan.trained / 1e6,
        cost.flops / 1e12,
        cost.standing / _GIB,
        needs,
    )
    if not fits(cost.peaks[chosen], free_memory, device):
        logger.warning(
            "train: the memory may not be enough; lower train.micro_batch_size, which changes no "
            "result, or set it to auto"
        )
    _check_disk(plan, folder)
    return chosen


def _check_disk(plan: Plan, folder: Path) -> None:
    """Log the size of the checkpoints, and warn if the disk has less room than they take."""
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    stored = sum(file.stat().st_size for file in folder.glob("step-*/*.safetensors"))
    free = shutil.disk_usage(existing).free + stored
    logger.info(
        "train: at most %d checkpoints of %.3g GiB together, %.3g GiB",
        plan.checkpoints,
        plan.checkpoint_bytes / _GIB,
        plan.disk / _GIB,
    )
    if plan.disk > free:
        logger.warning(
            "train: %s has room for %.3g GiB only; lower train.checkpoints.keep_last, keep_best "
            "or raise keep_every",
            folder,
            free / _GIB,
        )
