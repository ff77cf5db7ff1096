"""A training on fake tensors after its first optimiser step: its memory and its operations."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from albedo_pipeline.params.training_loop import TrainingLoop
from albedo_pipeline.runtime.live_tensors import LiveTensors
from albedo_pipeline.training.batches import DeviceBatch
from albedo_pipeline.training.optimisation import optimiser_tensors
from albedo_pipeline.training.optimiser_step import Components, accumulate
from albedo_pipeline.training.plan.fake_accelerator import cuda_mixed_precision

Loop = TypeVar("Loop", bound=TrainingLoop)


def _attention_flops(query: Any, key: Any, value: Any, *rest: Any, **options: Any) -> int:
    return sdpa_flop_count(query, key, value)


def _attention_backward_flops(
    gradient: Any, query: Any, key: Any, value: Any, *rest: Any, **options: Any
) -> int:
    return sdpa_backward_flop_count(gradient, query, key, value)


_ATTENTION_FLOPS = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward_flops,
}
"""Operations of the CPU's attention, by its kernels; torch itself counts the GPU's kernels only."""


@dataclass(frozen=True)
class FakeTraining:
    """A training after its first optimiser step, on fake tensors."""

    components: Components
    """What is trained, and what trains it."""
    parameters: int
    """Number of the network's parameters."""
    new_batch: Callable[[int], DeviceBatch]
    """A micro-batch of so many samples, without content."""
    live: LiveTensors
    step: int
    """Number of an optimiser step that takes the most memory."""
    shares: Callable[[int | None], dict[int, float]]
    """Numbers of steps that stand for all, and the share of the steps that each stands for, by the
    number of steps of the training; None: not known."""
    smallest: int
    """Smallest number of samples in a micro-batch."""
    standing: int
    """Bytes between two steps: weights, their average, the optimisers' state, frozen networks."""
    flops: float
    """Floating-point operations per sample in step number `step`: matrix products, convolutions and
    attention, forwards and backwards."""

    @property
    def trained(self) -> int:
        """Number of trained parameters."""
        return sum(p.numel() for p in self.components.trained.values())

    @property
    def checkpoint_bytes(self) -> int:
        """Size of a checkpoint's tensors."""
        tensors = self.components.tensors()
        states = [optimiser_tensors(tensors.optimiser, tensors.trained)]
        if tensors.opponents is not None:
            others = tensors.opponents
            states.append(optimiser_tensors(others.optimiser, others.trained))
        return self.weights_bytes + sum(_bytes(state.values()) for state in states)

    @property
    def weights_bytes(self) -> int:
        """Size of a checkpoint's tensors without the optimisers' state."""
        tensors = self.components.tensors()
        others = tensors.opponents.weights.values() if tensors.opponents is not None else ()
        return _bytes([*tensors.trained.values(), *tensors.ema.shadows, *others])

    def peak(self, micro_batch_size: int, *, accumulates: bool) -> int:
        """Largest number of bytes during an optimiser step.

        Args:
            micro_batch_size: number of samples.
            accumulates: whether the step has several micro-batches: from the second one on, the
                gradients stand beside the activations. The update takes less than that.
        """
        if accumulates and any(w.grad is None for w in self.components.trained.values()):
            self._accumulate(self.smallest, self.step)
        if not accumulates:
            self._zero_grad()
        gc.collect()
        self.live.peak = self.live.now
        self._accumulate(micro_batch_size, self.step)
        return self.live.peak

    def mean_flops(self, last_step: int | None) -> float:
        """Floating-point operations per sample, on average over a training of so many steps."""
        return sum(
            share * (self.flops if step == self.step else self._flops(step))
            for step, share in self.shares(last_step).items()
        )

    def _flops(self, step: int) -> float:
        return flops_of(lambda: self._accumulate(self.smallest, step)) / self.smallest

    def _accumulate(self, samples: int, step: int) -> None:
        accumulate(self.components, [self.new_batch(samples)], 1, step)

    def _zero_grad(self) -> None:
        tensors = self.components.tensors()
        tensors.optimiser.zero_grad()
        if tensors.opponents is not None:
            tensors.opponents.optimiser.zero_grad()


def _bytes(tensors: Any) -> int:
    return sum(t.numel() * t.element_size() for t in tensors)


class _NoModules(nullcontext):
    """In the place of torch's count by modules, whose hooks refuse `autograd.grad`."""

    parents: ClassVar = {"Global"}


def flops_of(compute: Callable[[], Any]) -> int:
    """Floating-point operations of what a function computes."""
    counter: Any = FlopCounterMode(display=False, custom_mapping=_ATTENTION_FLOPS)
    counter.mod_tracker = _NoModules()
    with counter:
        compute()
    return counter.get_total_flops()


@contextmanager
def on_fake_tensors(device: str) -> Iterator[LiveTensors]:
    """Make every new tensor a fake one: no memory is taken, and nothing is computed.

    Args:
        device: type of the device whose rules of mixed precision hold, `cpu`, `cuda` or `mps`.
    """
    live = LiveTensors()
    rules = cuda_mixed_precision() if device == "cuda" else nullcontext()
    with FakeTensorMode(), rules, live:
        yield live


def started(
    components: Components,
    parameters: int,
    new_batch: Callable[[int], DeviceBatch],
    update: Callable[[], Any],
    live: LiveTensors,
    step: int,
    shares: Callable[[int | None], dict[int, float]],
    smallest: int,
) -> FakeTraining:
    """The training after its first optimiser step; within `on_fake_tensors`.

    Args:
        update: updates the weights, after gradients were accumulated.
    """
    flops = flops_of(lambda: accumulate(components, [new_batch(smallest)], 1, step)) / smallest
    update()
    gc.collect()
    return FakeTraining(
        components, parameters, new_batch, live, step, shares, smallest, live.now, flops
    )


def plain_execution(params: Loop) -> Loop:
    """The settings without what fake tensors cannot do, and what takes no less memory."""
    execution = params.execution.model_copy(update={"compile": False, "channels_last": False})
    return params.model_copy(update={"execution": execution})


def on_cpu(module: Any) -> Any:
    """The module with empty weights, whose `to` does nothing: torch cannot move fake parameters."""
    module._apply(lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype))
    module.to = lambda *args, **kwargs: module
    return module
