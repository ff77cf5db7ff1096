"""Small latents and a small training."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.datasets.latent_shards import LatentShards, LatentShardsDataset
from albedo_pipeline.params import TrainParams

SETTINGS = {
    "seed": 5,
    "source": "scratch",
    "scratch": {
        "block_out_channels": [16, 32],
        "attention": [False, True],
        "norm_num_groups": 8,
        "text_width": 8,
    },
    "effective_batch_size": 4,
    "micro_batch_size": 4,
    "max_steps": 3,
    "learning_rate": {"peak": 1e-3, "warmup_steps": 1},
    "precision": "fp32",
    "device": "cpu",
    "log_every": 1,
}


@pytest.fixture
def train_params() -> Callable[..., TrainParams]:
    """Makes the settings of a three-step training, with changes."""
    return lambda **changes: TrainParams.model_validate(SETTINGS | changes)


@pytest.fixture
def latents(tmp_path: Path) -> LatentShards:
    """Eleven training samples, one of them wholly masked, and one validation sample.
    There is something to learn: the albedo latent is the negative of the beauty latent."""
    random = np.random.default_rng(0)

    def rows():
        for i in range(12):
            beauty = random.normal(size=(2, 4, 8, 8)).astype(np.float16)
            valid = (random.random((2, 1, 8, 8)) > 0.3).astype(np.uint8)
            yield {
                "sample_id": f"s{i}",
                "group": f"g{i}",
                "split": "validation" if i == 11 else "train",
                "beauty": beauty,
                "albedo": -beauty,
                "valid": valid * (i != 3),
            }

    dataset = LatentShardsDataset(filepath=str(tmp_path / "latents"), samples_per_shard=5)
    dataset.save(rows())
    return dataset.load()
