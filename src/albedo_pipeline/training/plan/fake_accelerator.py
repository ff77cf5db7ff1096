"""What the training step needs of an Accelerator, for one process and for fake CPU tensors.

An own one, because Accelerate's is opened once for a process and then stands for the real device.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from accelerate.utils import convert_outputs_to_fp32
from torch.nn import functional

_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}
_FLOAT32_ON_CUDA = ("group_norm", "layer_norm")
"""Functions of the networks that mixed precision computes in float32 on CUDA, but not on a CPU.

https://docs.pytorch.org/docs/stable/amp.html, "Autocast Op Reference".
"""


@contextmanager
def cuda_mixed_precision() -> Iterator[None]:
    """Make mixed precision on CPU tensors choose the number formats that it chooses on CUDA.

    The functions are replaced while the context lasts. A `TorchFunctionMode` would not do: it ends
    in the backward pass, where gradient checkpointing computes activations again.
    """
    originals = {name: getattr(functional, name) for name in _FLOAT32_ON_CUDA}
    for name, original in originals.items():
        setattr(functional, name, _in_float32(original))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(functional, name, original)


def _in_float32(function: Callable) -> Callable:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if torch.is_autocast_enabled("cpu"):
            args = tuple(a.float() if _is_half(a) else a for a in args)
            kwargs = {name: v.float() if _is_half(v) else v for name, v in kwargs.items()}
        return function(*args, **kwargs)

    return wrapped


def _is_half(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dtype in _HALF.values()


@dataclass(frozen=True)
class _Optimiser:
    """An optimiser as Accelerate wraps it."""

    optimizer: torch.optim.Optimizer

    def step(self) -> None:
        self.optimizer.step()

    def zero_grad(self) -> None:
        self.optimizer.zero_grad()


@dataclass(frozen=True)
class FakeAccelerator:
    """An Accelerator of one process on the CPU; the scaler of fp16 is left out."""

    precision: str
    """Precision of the forward pass."""
    device = torch.device("cpu")
    num_processes = 1
    scaler = None

    def autocast(self) -> torch.autocast:
        """Context of mixed precision."""
        dtype = _HALF.get(self.precision)
        return torch.autocast("cpu", dtype=dtype or torch.bfloat16, enabled=dtype is not None)

    def prepare(self, model: Any, optimiser: torch.optim.Optimizer) -> tuple[Any, _Optimiser]:
        """Wrap the model's `forward` in mixed precision with float32 results."""
        if self.precision in _HALF:
            model.forward = convert_outputs_to_fp32(self.autocast()(model.forward))
        return model, _Optimiser(optimiser)

    def no_sync(self, model: Any) -> AbstractContextManager:
        """Nothing to do: there is one process."""
        return nullcontext()

    def backward(self, loss: torch.Tensor) -> None:
        """Add to the gradients."""
        loss.backward()

    def reduce(self, tensor: torch.Tensor, reduction: str) -> torch.Tensor:
        """The tensor itself: there is one process."""
        return tensor
