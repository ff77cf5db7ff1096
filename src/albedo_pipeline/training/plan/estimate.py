"""The plan of a training: what its steps take, and what follows for cards and disk."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

from albedo_pipeline.params.optimisation import CheckpointSchedule
from albedo_pipeline.params.training_loop import TrainingLoop
from albedo_pipeline.training.due import is_due, kept_steps
from albedo_pipeline.training.plan.fake_step import fake_training, smallest_micro_batch
from albedo_pipeline.training.plan.fake_training import FakeTraining, Loop

NetworksOf = TypeVar("NetworksOf")
NewTraining = Callable[[NetworksOf, Loop, str], AbstractContextManager[FakeTraining]]
"""Makes a training on fake tensors of networks and settings, for a type of device."""
_USABLE = {"cuda": 0.9}
"""Share of the free memory that the tensors of a step may take, by type of device. The rest is for
CUDA's context, workspaces of kernels, and gaps in the allocator's blocks."""
_USABLE_ELSEWHERE = 0.5
"""The same for the other devices, whose kernels copy more, and which share their memory with other
programs."""


@dataclass(frozen=True)
class StepCost:
    """What an optimiser step takes, with or without gradient checkpointing."""

    gradient_checkpointing: bool
    flops: float
    """Floating-point operations per sample, on average over the training."""
    standing: int
    """Bytes between two steps."""
    peaks: dict[int, int]
    """Largest number of bytes during a step, by micro-batch size, smallest size first."""

    def largest_fitting(self, memory: float, device: str = "cuda") -> int | None:
        """Largest micro-batch that fits into `memory` free bytes; None if none does."""
        return max(
            (s for s, peak in self.peaks.items() if fits(peak, memory, device)), default=None
        )


@dataclass(frozen=True)
class Plan:
    """What a training takes."""

    parameters: int
    """Number of parameters of the UNet, with adapters, or of the autoencoder."""
    trained: int
    """Number of trained parameters."""
    checkpoint_bytes: int
    """Size of a checkpoint."""
    checkpoints: int
    """Largest number of checkpoints that are on the disk together."""
    disk: int
    """Bytes of these checkpoints."""
    costs: tuple[StepCost, ...]
    """The cost of a step, without and with gradient checkpointing."""


def fits(peak: int, memory: float, device: str) -> bool:
    """Whether a step whose tensors take `peak` bytes runs in `memory` free bytes."""
    return peak <= _USABLE.get(device, _USABLE_ELSEWHERE) * memory


def make_plan(
    networks: NetworksOf,
    params: Loop,
    device: str,
    sizes: Iterable[int],
    checkpointing: Iterable[bool],
    last_step: int | None,
    processes: int = 1,
    new_training: NewTraining[NetworksOf, Loop] = fake_training,  # type: ignore[assignment]
) -> Plan:
    """Plan a training on fake tensors.

    Args:
        networks: what is trained.
        params: settings of the training.
        device: type of the device that is planned for, `cpu`, `cuda` or `mps`.
        sizes: micro-batch sizes, smallest first.
        checkpointing: for which values of `execution.gradient_checkpointing`.
        last_step: number of optimiser steps; None: not known.
        processes: number of processes; each has an equal share of the effective batch.
        new_training: yields the training on fake tensors; by default the denoiser's.
    """
    share, costs = params.effective_batch_size // processes, []
    for value in checkpointing:
        execution = params.execution.model_copy(update={"gradient_checkpointing": value})
        changed = params.model_copy(update={"execution": execution})
        with new_training(networks, changed, device) as training:
            peaks = peaks_of(training, tuple(sizes), share)
            flops = training.mean_flops(last_step)
            costs.append(StepCost(value, flops, training.standing, peaks))
            parameters, trained = training.parameters, training.trained
            complete, weights = training.checkpoint_bytes, training.weights_bytes
    kept = kept_checkpoints(params, last_step)
    disk = disk_of(params.checkpoints, kept, complete, weights)
    return Plan(parameters, trained, complete, kept, disk, tuple(costs))


def micro_batch_sizes(params: TrainingLoop, processes: int = 1) -> tuple[int, ...]:
    """The sizes that divide the share of a process, smallest first."""
    share, least = params.effective_batch_size // processes, smallest_micro_batch(params)
    return tuple(size for size in range(least, share + 1, least) if share % size == 0)


def peaks_of(training: FakeTraining, sizes: tuple[int, ...], share: int) -> dict[int, int]:
    """Peak of each micro-batch size; `share` is the number of a process's samples in a step.

    The bytes at each moment are a + b n for n samples, so their largest value is a convex function
    of n: between two sizes it is at most the straight line, which is what the plan takes.
    """
    peaks = {n: training.peak(n, accumulates=False) for n in sizes if n == share}
    several = [n for n in sizes if n != share]
    if several:
        low, high = several[0], several[-1]
        at_low = training.peak(low, accumulates=True)
        at_high = training.peak(high, accumulates=True) if high > low else at_low
        slope = (at_high - at_low) / max(1, high - low)
        peaks |= {n: round(at_low + slope * (n - low)) for n in several}
    return dict(sorted(peaks.items()))


def kept_checkpoints(params: TrainingLoop, last_step: int | None) -> int:
    """Largest number of checkpoints on the disk, with the one that is being written."""
    schedule = params.checkpoints
    best = schedule.keep_best if params.validation.every else 0
    if last_step is None:
        return schedule.keep_last + best + 1
    due = [
        step
        for step in range(1, last_step + 1)
        if any(is_due(every, step, last_step) for every in (schedule.every, schedule.keep_every))
    ]
    return len(kept_steps(due, [], schedule)) + best + 1


def disk_of(schedule: CheckpointSchedule, kept: int, complete: int, weights: int) -> int:
    """Bytes of so many checkpoints.

    Args:
        schedule: which of them lose the optimiser's state.
        kept: number of checkpoints, with the one that is being written.
        complete: bytes of a checkpoint.
        weights: bytes of one without the optimiser's state.
    """
    newest = min(kept, schedule.keep_last + 1)
    return newest * complete + (kept - newest) * (weights if schedule.weights_only else complete)
