"""The device that models run on."""

import os
import resource
from pathlib import Path

import torch

from albedo_pipeline.errors import ProjectError

_CGROUP = Path("/sys/fs/cgroup")
"""Folder with the limits of a container (cgroup v2)."""


def pick_device(name: str) -> torch.device:
    """Device of a setting `auto`, `cpu` or `cuda`.

    `auto` takes the GPU if there is one. Each of torchrun's processes takes its own GPU.

    Raises:
        ProjectError: if `cuda` is asked for and torch sees no GPU.
    """
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise ProjectError(
            "device (of the pipeline that runs): 'cuda' was asked for, but torch sees no GPU"
        )
    if not has_gpu or name == "cpu":
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


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
