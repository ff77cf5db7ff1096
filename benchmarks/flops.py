"""Floating-point operations: how many a function needs, and how many a GPU does in a second."""

from collections.abc import Callable
from statistics import median

import torch
from torch.utils.flop_counter import FlopCounterMode

_SIDE = 8192
_REPEATS = 20


def flops_of(work: Callable[[], object]) -> int:
    """Number of floating-point operations of `work`, which may run on the meta device."""
    counter = FlopCounterMode(display=False)
    with counter:
        work()
    return counter.get_total_flops()


def matmul_rate(device: torch.device) -> float:
    """Floating-point operations per second of a large bf16 matrix product on a GPU."""
    factor = torch.randn(_SIDE, _SIDE, device=device, dtype=torch.bfloat16)
    milliseconds = []
    for _ in range(_REPEATS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        torch.mm(factor, factor)
        end.record()
        end.synchronize()
        milliseconds.append(start.elapsed_time(end))
    return 2 * _SIDE**3 / (median(milliseconds) / 1e3)
