"""A small training of the autoencoder: its settings and images, and how to run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.params import AutoencoderParams
from albedo_pipeline.shards.datasets import PairShardsDataset
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.training.autoencoder import obtain_autoencoder
from benchmarks.row_build import save_rows

TRAINING = {
    "seed": 5,
    "block_out_channels": [8, 16],
    "max_steps": 4,
    "effective_batch_size": 4,
    "learning_rate": {"peak": 1e-3, "warmup_steps": 1},
    "log_every": 1,
}
ADVERSARY = {
    "adversary": {
        "start_step": 1,
        "scales": 2,
        "channels": 8,
        "layers": 1,
        "weight": [0, 0.1, 0.5, 4],
        "gradient_penalty": {"weight": 0.1, "every": 2},
    }
}
"""An adversary with all that it can do, for images of 16 pixels."""
WASSERSTEIN = {
    "adversary": ADVERSARY["adversary"]
    | {
        "kind": "wasserstein",
        "gradient_penalty": {"kind": "interpolated", "weight": 10, "every": 2},
    }
}
"""The same with a Wasserstein critic and its gradient penalty."""


def settings(source: str = "train", **changes) -> AutoencoderParams:
    """Settings of a training of four steps, with changes."""
    training = TRAINING | changes
    return AutoencoderParams.model_validate(
        {"source": source, "precision": "fp32", "device": "cpu", "training": training}
    )


def save_pairs(folder: Path, side: int = 16, masked: bool = False) -> PairShards:
    """Save eight samples of smooth gradients with a dark beauty and a bright albedo.

    All pixels are valid; if `masked`, the upper half alone.
    """
    valid = np.ones((1, side, side), np.uint8)
    valid[:, side // 2 :] = not masked
    ramp, shape = np.linspace(0, 0.4, side, dtype=np.float32), (3, side, side)
    dataset = PairShardsDataset(filepath=str(folder))
    save_rows(
        dataset,
        [
            {
                "sample_id": f"s{i}",
                "group": f"g{i}",
                "beauty": quantize(np.broadcast_to(ramp * (i + 1) / 8, shape)),
                "albedo": quantize(np.broadcast_to(1 - ramp * (i + 1) / 8, shape)),
                "valid": valid,
            }
            for i in range(8)
        ],
    )
    return dataset.load()


def manifest() -> pd.DataFrame:
    """Six samples to train on, and two for validation."""
    splits = ["train"] * 6 + ["validation"] * 2
    return pd.DataFrame(
        {"sample_id": [f"s{i}" for i in range(8)], "split": splits, "row": range(8)}
    )


def train(
    pairs: PairShards, store: Path, params: AutoencoderParams, samples: pd.DataFrame | None = None
) -> AutoencoderKL:
    """Train with checkpoints in the folder `store`, and the latents in `latents` beside it."""
    return obtain_autoencoder(
        pairs,
        manifest() if samples is None else samples,
        params,
        Checkpoints(store),
        store.parent / "events",
        lambda: LatentShards(store.parent / "latents"),
    )


def train_in_process(
    folder: Path, name: str, changes: dict, processes: int = 1
) -> subprocess.Popen:
    """Start a training in processes of its own, with the pairs in `folder`."""
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes), "--standalone"]
    return subprocess.Popen(
        [
            *(sys.executable, *(launcher if processes > 1 else [])),
            *(__file__, str(folder), name, json.dumps(changes)),
        ],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    where = Path(sys.argv[1])
    changes = json.loads(sys.argv[3])
    train(PairShards(where / "pairs"), where / sys.argv[2], settings(**changes))
