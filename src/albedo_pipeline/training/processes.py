"""The processes of a training, through Accelerate."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import (
    DistributedDataParallelKwargs,
    InitProcessGroupKwargs,
    broadcast_object_list,
)

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.device import pick_device
from albedo_pipeline.params import TrainParams

_PRECISIONS = {"fp32": "no", "bf16": "bf16", "fp16": "fp16"}


@contextmanager
def accelerated(params: TrainParams) -> Iterator[Accelerator]:
    """An Accelerator for this process; its settings are global, so they end with it.

    Raises:
        ProjectError: where the device or the precision cannot be had.
    """
    device = pick_device(params.device)
    if params.precision == "fp16" and device.type == "cpu":
        raise ProjectError("train.precision: fp16 needs a GPU; bf16 works on both")
    accelerator = Accelerator(
        cpu=device.type == "cpu",
        mixed_precision=_PRECISIONS[params.precision],
        kwargs_handlers=[
            DistributedDataParallelKwargs(gradient_as_bucket_view=True),
            # The others wait while the first one writes or hashes a large checkpoint.
            InitProcessGroupKwargs(timeout=timedelta(hours=2)),
        ],
    )
    before = torch.are_deterministic_algorithms_enabled()
    if params.execution.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS wants it
        torch.use_deterministic_algorithms(True)
    try:
        yield accelerator
    finally:
        torch.use_deterministic_algorithms(before)
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        AcceleratorState._reset_state(reset_partial_state=True)


def agreed(accelerator: Accelerator, work: Callable[[], Any]) -> Any:
    """What `work` gives in the first process, in all of them; its error ends them all."""
    outcome: list = [None, ""]
    failure: Exception | None = None
    if accelerator.is_main_process:
        try:
            outcome[0] = work()
        except Exception as error:  # told to the others, who would wait for ever, then raised
            failure, outcome[1] = error, str(error) or type(error).__name__
    broadcast_object_list(outcome)
    if failure is not None:
        raise failure
    if outcome[1]:
        raise ProjectError(outcome[1])
    return outcome[0]


def places_of(
    rank: int, processes: int, effective_batch_size: int, micro_batch_size: int
) -> list[range]:
    """Places in the effective batch of each micro-batch of one process.

    Raises:
        ProjectError: where the effective batch cannot be divided so.
    """
    share, rest = divmod(effective_batch_size, processes)
    micro = min(micro_batch_size, share)
    if rest or not share or share % micro:
        raise ProjectError(
            f"train.effective_batch_size: {effective_batch_size} cannot be divided into whole "
            f"micro-batches of {micro_batch_size} on {processes} processes"
        )
    first = rank * share
    return [range(start, start + micro) for start in range(first, first + share, micro)]


def any_process(accelerator: Accelerator, flag: bool) -> bool:
    """Whether the flag is set in any process. Told on the CPU: a GPU need not wait."""
    if accelerator.num_processes == 1:
        return flag
    told = torch.tensor(int(flag))
    torch.distributed.all_reduce(told, torch.distributed.ReduceOp.MAX)
    return bool(told)
