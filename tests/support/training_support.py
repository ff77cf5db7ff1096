"""A small training: its settings and latents."""

from pathlib import Path

import numpy as np

from albedo_pipeline.datasets.latent_shards import LatentShards, LatentShardsDataset

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


def save_latents(folder: Path, count: int, spoilt: tuple[int, ...] = ()) -> LatentShards:
    """Training samples, the fourth wholly masked, and one validation sample, the last. Their
    masks differ strongly. There is something to learn: the albedo latent is the negative of the
    beauty latent; that of the spoilt ones is infinite."""
    random = np.random.default_rng(0)

    def rows():
        for i in range(count):
            beauty = random.normal(size=(2, 4, 8, 8)).astype(np.float16)
            share = (0.02, 0.95, 0.4)[i % 3]
            valid = (random.random((1, 8, 8)) < share).astype(np.uint8) * (i != 3)
            valid[0, 0, 0] = i != 3
            yield {
                "sample_id": f"s{i}",
                "group": f"g{i}",
                "split": "validation" if i == count - 1 else "train",
                "valid_cells": int(valid.sum()),
                "beauty": beauty,
                "albedo": np.full_like(beauty, np.inf) if i in spoilt else -beauty,
                "valid": np.stack([valid, valid[..., ::-1]]),
            }

    dataset = LatentShardsDataset(filepath=str(folder), samples_per_shard=5)
    dataset.save(rows())
    return dataset.load()
