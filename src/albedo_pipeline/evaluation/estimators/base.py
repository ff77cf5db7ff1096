"""What every estimator of an evaluation has: settings to show, digests, and `predict`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.models.denoiser import Denoiser


@dataclass(frozen=True)
class Batch:
    """Samples of one size; images as `imaging.pixels` stores them."""

    sample_ids: list[str]
    beauty: np.ndarray
    """uint16 [B, 3, H, W], sRGB-encoded."""
    albedo: np.ndarray
    """The truth, uint16 [B, 3, H, W], sRGB-encoded; only for methods that are fitted to it."""
    valid: np.ndarray
    """bool [B, 1, H, W]."""


class Predicted(NamedTuple):
    """Estimates of a batch."""

    albedo: np.ndarray
    """float32 [B, 3, H, W], sRGB-encoded, in [0, 1]."""
    uncertainty: np.ndarray | None = None
    """Disagreement of an ensemble, mean of the channels, float32 [B, 1, H, W]."""


class AlbedoEstimator(Protocol):
    """Anything that estimates albedo."""

    @property
    def about(self) -> dict[str, object]:
        """Settings by name, for tables: what it is, and how it predicts."""

    @property
    def digests(self) -> dict[str, str]:
        """Digests of what decides its predictions, by name."""

    def predict(self, batch: Batch) -> Predicted:
        """Estimate the albedo of a batch.

        Raises:
            NotFiniteError: if an image is not finite.
            ProjectError: if it has no estimate of a sample.
        """


@dataclass(frozen=True)
class Context:
    """What estimators may use of the project and its settings."""

    trained: Callable[[], tuple[Denoiser, AutoencoderKL]]
    """Loads the trained denoiser and the autoencoder of its predictions."""
    checkpoints: Checkpoints
    """Folder of the training's checkpoints."""
    device: torch.device
    precision: str
    """Number format of weights and networks."""
    compiled: bool = False
    """Whether the networks are compiled."""
