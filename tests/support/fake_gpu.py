"""A GPU of fake tensors: they have shapes and a device, but no content, and need no compiler.

torch lets Python stand in for a backend of its own (`PrivateUse1`). Operations that mix its tensors
with those of the CPU raise, as on a real GPU; what would make the CPU wait for the GPU is counted.

    python -m tests.support.fake_gpu MODULE FUNCTION

calls a function of a test module on that device and prints its result as JSON. In a process of its
own, because the backend and the change of `torch.nn.Module` cannot be taken back.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.backend_registration import (
    _DummyBackendModule,
    _setup_privateuseone_for_python_backend,
)

from albedo_pipeline.training.plan.fake_accelerator import FakeAccelerator

NAME = "fakegpu"
GPU = torch.device("privateuseone", 0)
_COPIES = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)
_READ_SCALAR = torch.ops.aten._local_scalar_dense.default
_AUTOCAST = torch.library.Library("_", "IMPL")
_ROOT = Path(__file__).parents[2]


class Waits(TorchDispatchMode):
    """Counts what makes the CPU wait for the GPU: copies to the CPU, and reading a number."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        from_gpu = any(isinstance(a, torch.Tensor) and a.device == GPU for a in args)
        if func is _READ_SCALAR:
            self.count += from_gpu
            return True  # what the code asks is whether all or any values are so
        result = func(*args, **(kwargs or {}))
        self.count += from_gpu and func in _COPIES and result.device.type == "cpu"
        return result


class _Backend(_DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16, torch.float16]


@dataclass(frozen=True)
class GpuAccelerator(FakeAccelerator):
    """An accelerator of one process on the fake GPU, which leaves out mixed precision."""

    device = GPU

    def prepare(self, model: Any, optimiser: Any) -> Any:
        return super().prepare(model.to(GPU), optimiser)


def _replace_tensors(module: nn.Module, change: Callable, recurse: bool = True) -> nn.Module:
    """`Module._apply` for fake tensors, whose content cannot be exchanged in place."""
    for child in module.children():
        child._apply(change)
    for name, parameter in module._parameters.items():
        if parameter is not None:
            with torch.no_grad():
                changed = change(parameter)
            if changed is not parameter:
                module._parameters[name] = nn.Parameter(changed, parameter.requires_grad)
    for name, buffer in module._buffers.items():
        if buffer is not None:
            module._buffers[name] = change(buffer)
    return module


@contextmanager
def fake_gpu() -> Iterator[Waits]:
    """Make every new tensor a fake one; yields the number of waits so far."""
    if torch._C._get_privateuse1_backend_name() != NAME:
        _setup_privateuseone_for_python_backend(NAME, _Backend())
        # Mixed precision changes no operation here; without it, torch finds none at all.
        _AUTOCAST.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
    nn.Module._apply = _replace_tensors  # type: ignore[method-assign]
    # One thread: the backend's functions in Python end the process if another thread calls them.
    with torch.autograd.set_multithreading_enabled(False), FakeTensorMode(), Waits() as waits:
        yield waits


def in_own_process(module: str, function: str) -> Any:
    """The result of a function without arguments, called under `fake_gpu` in a new process."""
    command = [sys.executable, "-m", "tests.support.fake_gpu", module, function]
    path = os.pathsep.join(map(str, (_ROOT / "src", _ROOT)))
    run = subprocess.run(
        command, cwd=_ROOT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


if __name__ == "__main__":
    print(json.dumps(getattr(importlib.import_module(sys.argv[1]), sys.argv[2])()))
