"""Number formats that the networks run in."""

from contextlib import AbstractContextManager

import torch

DTYPES = {
    "fp32": torch.float32,
    "tf32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
"""The types of torch by the names that settings use."""


def autocast(device: torch.device, precision: str) -> AbstractContextManager:
    """Context of a forward pass in mixed precision; in float32 it does nothing."""
    dtype = DTYPES[precision]
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)
