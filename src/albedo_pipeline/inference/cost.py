"""Time and memory of predictions, measured by a small one."""

import time
from contextlib import suppress
from dataclasses import dataclass

import torch

from albedo_pipeline.errors import NotFiniteError
from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.models.autoencoder import factor
from albedo_pipeline.runtime.device import available_memory
from albedo_pipeline.runtime.live_tensors import LiveTensors

_CELLS = 32
"""Width and height of the measured image, in latent cells."""
_WORKSPACE = 1.5
"""Memory of a pass over that of its tensors: convolutions copy their inputs and outputs."""
_SHARE = 0.5
"""Share of the available memory that one pass may take."""
LARGEST_PASS = 4_000_000
"""Pixels of one pass, whatever the memory: the time of attention grows with their square."""


@dataclass(frozen=True)
class Cost:
    """What a prediction costs, for each pixel that goes through the networks."""

    bytes: float
    """Memory of a pass; a pass predicts one ensemble member."""
    seconds: float
    """Time of all ensemble members."""


def measure_cost(estimator: Estimator) -> Cost:
    """Predict an image of a few cells twice: once for the memory, once for the time."""
    side = _CELLS * factor(estimator.model.autoencoder)
    shape = estimator.latent_shape(side, side)
    images = torch.zeros(1, 3, side, side)
    noise = torch.zeros(1, estimator.sampling.ensemble.members, *shape)
    memory = _peak_bytes(estimator, images, noise[:, :1])
    start = time.perf_counter()
    _predict(estimator, images, noise)
    seconds = time.perf_counter() - start
    return Cost(memory / side**2, seconds / side**2)


def largest_pass(cost: Cost, estimator: Estimator) -> int:
    """Pixels of the largest image that one pass should take, given the memory that is available."""
    memory = _SHARE * available_memory(estimator.device)
    pixels = int(memory / (cost.bytes * estimator.sampling.batch_size))
    smallest = (_CELLS * factor(estimator.model.autoencoder)) ** 2  # what was measured fits
    return min(LARGEST_PASS, max(smallest, pixels))


def _peak_bytes(estimator: Estimator, images: torch.Tensor, noise: torch.Tensor) -> float:
    """Largest memory of a pass, without the weights."""
    if estimator.device.type == "cuda":
        before = torch.cuda.memory_allocated(estimator.device)
        torch.cuda.reset_peak_memory_stats(estimator.device)
        _predict(estimator, images, noise)
        return float(torch.cuda.max_memory_allocated(estimator.device) - before)
    with LiveTensors() as live:
        _predict(estimator, images, noise)
    return _WORKSPACE * live.peak


def _predict(estimator: Estimator, images: torch.Tensor, noise: torch.Tensor) -> None:
    """Predict for the cost alone; each image of the job has its own reason if it fails."""
    with suppress(NotFiniteError):
        estimator.predict(images, noise).albedo.cpu()
