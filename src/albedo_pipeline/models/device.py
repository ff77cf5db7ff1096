"""Where and in which precision the models run."""

import os
from contextlib import AbstractContextManager

import torch

from albedo_pipeline.errors import ProjectError


def pick_device(name: str) -> torch.device:
    """`auto` takes the GPU where there is one; each of torchrun's processes takes its own.

    Raises:
        ProjectError: where `cuda` is asked for and there is none.
    """
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise ProjectError(
            "device (of the pipeline that runs): 'cuda' was asked for, but torch sees no GPU"
        )
    if not has_gpu or name == "cpu":
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def autocast(device: torch.device, precision: str) -> AbstractContextManager:
    """Mixed precision of the forward pass; `fp32` leaves everything as it is."""
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    return torch.autocast(device.type, dtype, enabled=precision != "fp32")
