"""Number formats that the networks run in."""

from contextlib import AbstractContextManager

import torch

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""torch's types by the names that settings use."""


def autocast(device: torch.device, precision: str) -> AbstractContextManager:
    """Mixed precision of a forward pass; with `fp32` nothing is converted."""
    return torch.autocast(device.type, DTYPES[precision], enabled=precision != "fp32")
