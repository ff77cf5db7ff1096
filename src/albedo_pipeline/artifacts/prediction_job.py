"""The user's images, sequences of them, and what predicts their albedo."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from albedo_pipeline.artifacts.user_results import Record, UserPrediction
from albedo_pipeline.params.predict import OutputParams
from albedo_pipeline.runtime.ray_pool import Cluster


@dataclass(frozen=True)
class UserImage:
    """One of the user's images."""

    name: str
    """Path relative to the user's folder, with `/`."""
    path: Path
    """The file."""
    output: str
    """Name of its results: without suffix, and different from that of any other image."""
    frame: int | None = None
    """Number of the frame in an animation or a video, from 0; None for an image of its own."""
    context: str = ""
    """Digest of the other files that the result depends on; empty if there are none."""

    @property
    def real_path(self) -> Path:
        """Where the links lead; the file need not exist."""
        return Path(os.path.realpath(self.path))  # Path.resolve raises an error for a circle

    def signature(self) -> str:
        """Path, size and time of the file, or why it cannot be read; another one if it changes."""
        try:
            stat = self.path.stat()
        except OSError as error:
            return f"{error.strerror}"
        return f"{self.real_path}:{stat.st_size}:{stat.st_mtime_ns}"


@dataclass(frozen=True)
class UserSequence:
    """Frames that follow each other: numbered files, or those of an animation or a video."""

    name: str
    """The file, or the numbered files as `shot.[0001-0024].exr`; relative to the user's folder."""
    output: str
    """Name of its results, without suffix."""
    images: tuple[UserImage, ...]
    """The frames, in order."""
    frames_per_second: float


class PredictionJob(Protocol):
    """Images whose albedo is wanted, and what predicts it."""

    @property
    def images(self) -> list[UserImage]:
        """The images, in a stable order."""

    @property
    def others(self) -> int:
        """Number of files that were skipped because they are no images."""

    @property
    def companions(self) -> int:
        """Number of companion files that were passed over; see `runtime.companions`."""

    @property
    def cache_key(self) -> str:
        """Digest of everything but the image that a result depends on."""

    @property
    def cluster(self) -> Cluster | None:
        """Where the workers run that make the results; None if this process makes them."""

    @property
    def settings(self) -> Record:
        """Facts about the run: model and settings."""

    @property
    def files(self) -> OutputParams:
        """The files that are written of each albedo."""

    @property
    def sequences(self) -> list[UserSequence]:
        """Sequences of frames among the images; empty without `predict.sequence`."""

    def plan(self, images: list[UserImage]) -> str:
        """Size of the work on these images, and its time and memory, for the log."""

    def make(self, image: UserImage) -> UserPrediction:
        """Predict the albedo of one image.

        Raises:
            BadSampleError: if the image cannot be used.
        """

    def beauty(self, image: UserImage) -> np.ndarray:
        """An image as the model sees it, uint16 [H, W, 3], sRGB-encoded.

        Raises:
            BadSampleError: if the image cannot be used.
        """
