"""Fixtures of a small training: settings, latents, images, and the training itself."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from diffusers import AutoencoderKL

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params import TrainParams
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.training.denoiser import train_denoiser
from albedo_pipeline.training.validation import ImageData
from tests.support.training import SETTINGS, save_images, save_latents


@pytest.fixture
def train_params() -> Callable[..., TrainParams]:
    """Makes the settings of a training of three steps, with changes."""
    return lambda **changes: TrainParams.model_validate(SETTINGS | changes)


@pytest.fixture
def latents(tmp_path: Path) -> LatentShards:
    """Latents of eleven training samples, ten of them usable, and of one validation sample."""
    return save_latents(tmp_path / "latents", 12)


@pytest.fixture
def images(tmp_path: Path) -> ImageData:
    """Images of 16 x 16 pixels of these samples, three for validation, and an autoencoder."""
    return save_images(tmp_path)


class Trained(NamedTuple):
    """Result of a training."""

    denoiser: Denoiser
    autoencoder: AutoencoderKL
    log: pd.DataFrame
    store: Checkpoints
    history: list[dict]


@pytest.fixture
def train(latents, images, train_params, tmp_path: Path) -> Callable[..., Trained]:
    """Trains with changed settings, and checkpoints in a folder of the given name."""

    def run(name: str, sets: dict | None = None, **changes) -> Trained:
        store = Checkpoints(tmp_path / name)
        sets = {"latents": latents} if sets is None else sets
        result = train_denoiser(sets, images, train_params(**changes), store, tmp_path / "events")
        return Trained(result.denoiser, result.autoencoder, result.log, store, result.history)

    return run
