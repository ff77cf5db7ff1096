"""The processes that share a run: which one this is, and what they do together.

torchrun starts the processes. Training opens its process group through Accelerate.
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

_PRECISIONS = {"fp32": "no", "bf16": "bf16", "fp16": "fp16"}
"""Accelerate's name of each precision."""


def rank() -> int:
    """Number of this process; process 0 writes what is written once."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """Number of processes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def wait_for_all() -> None:
    """Return when every process has called this, however long that takes."""
    if world_size() == 1:
        return
    import torch.distributed as distributed

    # Once only: a second group would find the keys of the first one in the common store.
    if not distributed.is_initialized():
        distributed.init_process_group("gloo", timeout=timedelta(days=30))
        atexit.register(distributed.destroy_process_group)
    distributed.barrier()


@contextmanager
def accelerated(device: str, precision: str, deterministic: bool) -> Iterator["Accelerator"]:
    """Yield an Accelerator for this process; its global settings end with the context.

    Args:
        device: `auto`, `cpu` or `cuda`.
        precision: `fp32`, `bf16` or `fp16`, of the forward pass.
        deterministic: whether torch may use deterministic algorithms only.

    Raises:
        ProjectError: if the device or the precision is not available.
    """
    import torch
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState
    from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs

    from albedo_pipeline.runtime.device import pick_device

    picked = pick_device(device)
    if precision == "fp16" and picked.type == "cpu":
        raise ProjectError("train.precision: fp16 needs a GPU; bf16 works on both")
    accelerator = Accelerator(
        cpu=picked.type == "cpu",
        mixed_precision=_PRECISIONS[precision],
        kwargs_handlers=[
            DistributedDataParallelKwargs(gradient_as_bucket_view=True),
            # The others wait while the first process writes or hashes a large checkpoint.
            InitProcessGroupKwargs(timeout=timedelta(hours=2)),
        ],
    )
    before = torch.are_deterministic_algorithms_enabled()
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it
        torch.use_deterministic_algorithms(True)
    try:
        yield accelerator
    finally:
        torch.use_deterministic_algorithms(before)
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        AcceleratorState._reset_state(reset_partial_state=True)


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
    rank: int, world_size: int, effective_batch_size: int, micro_batch_size: int
) -> list[range]:
    """Places in the effective batch of each micro-batch of one process.

    Raises:
        ProjectError: if the effective batch cannot be divided evenly.
    """
    share, rest = divmod(effective_batch_size, world_size)
    micro = min(micro_batch_size, share)
    if rest or not share or share % micro:
        raise ProjectError(
            f"train.effective_batch_size: {effective_batch_size} cannot be divided evenly into "
            f"micro-batches of {micro_batch_size} on {world_size} processes"
        )
    first = rank * share
    return [range(start, start + micro) for start in range(first, first + share, micro)]


def any_process(accelerator: "Accelerator", flag: bool) -> bool:
    """Whether the flag is set in any process; the CPU reduces it, so that no GPU waits."""
    if accelerator.num_processes == 1:
        return flag
    import torch

    reduced = torch.tensor(int(flag))
    torch.distributed.all_reduce(reduced, torch.distributed.ReduceOp.MAX)
    return bool(reduced)
