"""The processes that share a run: which one this is, and what they do together.

torchrun starts the processes.
"""

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from albedo_pipeline.errors import ProjectError

if TYPE_CHECKING:
    from accelerate import Accelerator

_PRECISIONS = {"fp32": "no", "tf32": "no", "bf16": "bf16", "fp16": "fp16"}
"""Accelerate's name of each precision."""


def rank() -> int:
    """Number of this process; process 0 writes what is written once."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """Number of processes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def open_group() -> None:
    """Open the process group that all pipelines of a run share, once for the process's life.

    It serves CPU tensors, and those of the GPU if there is one. Its timeout is long, because the
    others wait while one process makes a chunk or writes a checkpoint; a process that dies is
    noticed by torchrun, which then ends the others.
    """
    import torch

    distributed = torch.distributed
    if world_size() == 1 or distributed.is_initialized():
        return
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend, timeout=timedelta(days=30))
    atexit.register(distributed.destroy_process_group)


def wait_for_all() -> None:
    """Return when every process has called this, however long that takes."""
    if world_size() == 1:
        return
    import torch

    open_group()
    torch.distributed.all_reduce(torch.zeros(1))  # on the CPU: a barrier would hold a GPU


@contextmanager
def accelerated(
    device: str, precision: str, deterministic: bool, pipeline: str = "train"
) -> Iterator["Accelerator"]:
    """Yield an Accelerator for this process; its global settings end with the context.

    Args:
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fp32`, `tf32`, `bf16` or `fp16`, of the forward pass.
        deterministic: whether torch may use deterministic algorithms only.
        pipeline: the pipeline whose settings these are, for errors.

    Raises:
        ProjectError: if the device or the precision is not available.
    """
    import torch
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState
    from accelerate.utils import DistributedDataParallelKwargs

    from albedo_pipeline.runtime.device import open_device

    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(deterministic)
    try:
        picked = open_device(device, precision)
        _check_training_device(picked.type, precision, deterministic, pipeline)
        open_group()
        # Accelerate counts GPUs by the local rank, which is wrong for a process that sees only one.
        os.environ["ACCELERATE_TORCH_DEVICE"] = str(picked)
        if picked.type == "cuda":
            torch.cuda.set_device(picked)
        yield Accelerator(
            cpu=picked.type == "cpu",
            mixed_precision=_PRECISIONS[precision],
            kwargs_handlers=[DistributedDataParallelKwargs(gradient_as_bucket_view=True)],
        )
    finally:
        torch.use_deterministic_algorithms(before)
        os.environ.pop("ACCELERATE_TORCH_DEVICE", None)
        AcceleratorState._reset_state(reset_partial_state=True)


def _check_training_device(device: str, precision: str, deterministic: bool, pipeline: str) -> None:
    """
    Raises:
        ProjectError: if training cannot do what is asked for on a device of this type.
    """
    if precision == "fp16" and device != "cuda":
        raise ProjectError(f"{pipeline}.precision: fp16 needs a GPU of CUDA; bf16 works everywhere")
    if device != "mps":
        return
    if world_size() > 1:
        raise ProjectError(f"{pipeline}.device: mps trains in one process only")
    if deterministic:
        raise ProjectError(
            f"{pipeline}: execution.deterministic: not on mps, which has no such algorithms"
        )


def run_on_main_and_broadcast(accelerator: "Accelerator", work: Callable[[], Any]) -> Any:
    """Run `work` in the main process and return its result in all processes.

    Raises:
        ProjectError: in the other processes, if `work` raises in the main process.
    """
    from accelerate.utils import broadcast_object_list

    outcome: list = [None, ""]  # result, error message
    failure: Exception | None = None
    if accelerator.is_main_process:
        try:
            outcome[0] = work()
        except Exception as error:  # sent first, because the other processes are waiting
            failure, outcome[1] = error, str(error) or type(error).__name__
    broadcast_object_list(outcome)
    if failure is not None:
        raise failure
    if outcome[1]:
        raise ProjectError(outcome[1])
    return outcome[0]


def micro_batch_ranges(
    rank: int,
    world_size: int,
    effective_batch_size: int,
    micro_batch_size: int,
    settings_path: str = "train",
) -> list[range]:
    """Places in the effective batch of each micro-batch of one process.

    Raises:
        ProjectError: if the effective batch cannot be divided evenly.
    """
    share, rest = divmod(effective_batch_size, world_size)
    micro = min(micro_batch_size, share)
    if rest or not share or share % micro:
        raise ProjectError(
            f"{settings_path}.effective_batch_size: {effective_batch_size} cannot be divided "
            f"evenly into micro-batches of {micro_batch_size} on {world_size} processes"
        )
    first = rank * share
    return [range(start, start + micro) for start in range(first, first + share, micro)]


def any_process(accelerator: "Accelerator", flag: bool) -> bool:
    """Whether the flag is set in any process; the CPU reduces it, so that no GPU waits."""
    return smallest_of_processes(accelerator, -int(flag)) < 0


def smallest_of_processes(accelerator: "Accelerator", number: int) -> int:
    """The smallest of the processes' numbers, reduced on the CPU."""
    if accelerator.num_processes == 1:
        return number
    import torch

    reduced = torch.tensor(number)
    torch.distributed.all_reduce(reduced, torch.distributed.ReduceOp.MIN)
    return int(reduced)
