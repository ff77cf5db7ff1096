"""Small latents, images, and a small training."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from training_support import SETTINGS, save_latents

from albedo_pipeline.datasets.checkpoints import Checkpoints
from albedo_pipeline.datasets.latent_shards import LatentShards
from albedo_pipeline.datasets.pair_shards import PairShardsDataset
from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.models.autoencoder import new_autoencoder
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params import TrainParams
from albedo_pipeline.params.autoencoder import AutoencoderTraining
from albedo_pipeline.training.denoiser import train_denoiser
from albedo_pipeline.training.validation import ImageData


@pytest.fixture
def train_params() -> Callable[..., TrainParams]:
    """Makes the settings of a three-step training, with changes."""
    return lambda **changes: TrainParams.model_validate(SETTINGS | changes)


@pytest.fixture
def latents(tmp_path: Path) -> LatentShards:
    """Eleven training samples, of them ten usable, and one of validation."""
    return save_latents(tmp_path / "latents", 12)


@pytest.fixture
def images(tmp_path: Path) -> ImageData:
    """Three validation samples of 16 x 16 pixels, and an autoencoder of factor 2."""
    random = np.random.default_rng(1)
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    dataset.save(
        {
            "sample_id": f"v{i}",
            "group": f"g{i}",
            **{n: quantize(random.random((3, 16, 16))) for n in ("beauty", "albedo")},
            "valid": np.ones((1, 16, 16), np.uint8),
        }
        for i in range(3)
    )
    manifest = pd.DataFrame(
        {"sample_id": ["v0", "v1", "v2"], "split": "validation", "row": [0, 1, 2]}
    )
    torch.manual_seed(0)
    settings = AutoencoderTraining(block_out_channels=(8, 16), max_steps=1)
    return ImageData(dataset.load(), manifest, new_autoencoder(settings).eval())


class Trained(NamedTuple):
    """What a training leaves."""

    denoiser: Denoiser
    log: pd.DataFrame
    store: Checkpoints


@pytest.fixture
def train(latents, images, train_params, tmp_path: Path) -> Callable[..., Trained]:
    """Trains in a folder of the given name, with changed settings."""

    def run(name: str, sets: dict | None = None, **changes) -> Trained:
        store = Checkpoints(tmp_path / name)
        sets = {"latents": latents} if sets is None else sets
        result = train_denoiser(sets, images, train_params(**changes), store, tmp_path / "events")
        return Trained(*result, store)

    return run
