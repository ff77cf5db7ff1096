"""The device that models run on."""

import logging
import os
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch

from albedo_pipeline.errors import ProjectError, one_line

logger = logging.getLogger(__name__)
_OUT_OF_MEMORY = re.compile("allocate memory|out of memory", re.IGNORECASE)
_CGROUP = Path("/sys/fs/cgroup")
"""Folder with the limits of a container (cgroup v2)."""


def pick_device(name: str) -> torch.device:
    """Device of a setting `auto`, `cpu`, `cuda` or `mps`.

    `auto` takes the GPU of CUDA if there is one. Each process takes its own GPU; a process that
    sees only one takes that, whatever its local rank (as with Slurm's `--gpus-per-task=1`).

    Raises:
        ProjectError: if torch does not see the device that is asked for, or there are more
            processes than GPUs.
    """
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise ProjectError(
            "device (of the pipeline that runs): 'cuda' was asked for, but torch sees no GPU"
        )
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise ProjectError(
                "device (of the pipeline that runs): 'mps' was asked for, but torch sees no Apple "
                "GPU"
            )
        return torch.device("mps")
    if not has_gpu or name == "cpu":
        return torch.device("cpu")
    # Deterministic algorithms ask for it, and cuBLAS reads it only once, before its first product.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    local_rank, gpus = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if gpus == 1:
        return torch.device("cuda", 0)
    if local_rank >= gpus:
        raise ProjectError(
            f"device (of the pipeline that runs): process {local_rank} of this machine sees only "
            f"{gpus} GPUs; start one process per GPU"
        )
    return torch.device("cuda", local_rank)


def open_device(name: str, precision: str) -> torch.device:
    """Pick the device, set how torch computes there, and log what it is.

    On a GPU, `fp32` multiplies and convolves in full float32; with `tf32`, and for what mixed
    precision leaves in float32, inputs are rounded to TF32's 10 bits of mantissa.

    Raises:
        ProjectError: as `pick_device`.
    """
    device = pick_device(name)
    if device.type == "cuda":
        rounds = precision != "fp32"
        torch.backends.cuda.matmul.allow_tf32 = rounds
        torch.backends.cudnn.allow_tf32 = rounds
        # The fastest algorithm for each shape; the choice may differ from run to run.
        torch.backends.cudnn.benchmark = not torch.are_deterministic_algorithms_enabled()
    _log_once(f"computing on {described(device)} in {precision}")
    return device


def device_for(name: str, precision: str, worker_gpus: float | None) -> torch.device:
    """The device that the work is done on: in this process, or in workers that each have GPUs.

    Args:
        name: `auto`, `cpu`, `cuda` or `mps`.
        precision: as for `open_device`, which the workers call themselves.
        worker_gpus: GPUs of each worker; None if this process does the work.

    Raises:
        ProjectError: as `pick_device`, or if the workers have no such device.
    """
    if worker_gpus is None:
        return open_device(name, precision)
    if name == "mps" or (name == "cuda") > (worker_gpus > 0):
        raise ProjectError(
            f"device (of the pipeline that runs): the workers have no {name}; for GPUs of CUDA set "
            "compute.gpus_per_worker to 1"
        )
    return torch.device("cuda", 0) if worker_gpus and name != "cpu" else torch.device("cpu")


@cache
def _log_once(text: str) -> None:
    logger.info(text)


def described(device: torch.device) -> str:
    """The device with its name and memory, for the log."""
    if device.type != "cuda":
        return {"cpu": "the CPU", "mps": "the Apple GPU"}[device.type]
    properties = torch.cuda.get_device_properties(device)
    return f"{device} ({properties.name}, {properties.total_memory / 2**30:.0f} GiB)"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that an allocation failed, on a GPU or on the CPU."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    # The CPU's and Apple's allocators have no errors of their own.
    return isinstance(error, RuntimeError) and bool(_OUT_OF_MEMORY.search(str(error)))


@contextmanager
def memory_named(settings: str) -> Iterator[None]:
    """Turn a failed allocation into an error that names the settings to lower.

    Raises:
        ProjectError: if the memory is not enough.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise ProjectError(f"not enough memory; lower {settings} ({one_line(error)})") from error


def available_memory(device: torch.device) -> int:
    """Number of bytes that can still be used: on the GPU, or by this process on the CPU."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return free + cached
    available = _free_memory()
    try:  # the limit of a container
        limit, used = (int((_CGROUP / n).read_text()) for n in ("memory.max", "memory.current"))
        used -= _inactive_files((_CGROUP / "memory.stat").read_text(encoding="ascii"))
    except (OSError, ValueError, StopIteration):  # no container, or one without a limit
        return available
    return min(available, max(0, limit - used))


def share_of_memory(device: torch.device) -> int:
    """Number of bytes that this process can still use, if others of its run are on the machine.

    A GPU is one process's own; the memory of the CPU is divided evenly.
    """
    shared = 1 if device.type == "cuda" else int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return available_memory(device) // shared


def _inactive_files(statistics: str) -> int:
    """Bytes of `memory.stat` that cache files nobody uses; the kernel gives them back on demand."""
    lines = (line.split() for line in statistics.splitlines())
    return next(int(value) for name, value in lines if name == "inactive_file")


def _free_memory() -> int:
    """Bytes of the machine that programs can still take; half of all if Linux does not say it."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(n.split()[1]) * 1024 for n in lines if n.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def peak_memory(device: torch.device) -> int:
    """Largest number of bytes in use so far: on the GPU, or by this process on the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
