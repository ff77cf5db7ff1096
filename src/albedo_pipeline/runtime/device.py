"""The device that models run on."""

import os
import resource

import torch

from albedo_pipeline.errors import ProjectError


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


def peak_memory(device: torch.device) -> int:
    """Largest number of bytes in use so far: on the GPU, or by this process on the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
