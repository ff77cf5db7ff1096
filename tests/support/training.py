"""A small training: its settings, latents and images, and how to run it in several processes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file

from albedo_pipeline.artifacts.checkpoints import Checkpoints, read_json
from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.models.autoencoder import new_autoencoder
from albedo_pipeline.params import TrainParams
from albedo_pipeline.params.autoencoder import AutoencoderTraining
from albedo_pipeline.shards.datasets import LatentShardsDataset, PairShardsDataset
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.training import task
from albedo_pipeline.training.denoiser import train_denoiser
from albedo_pipeline.training.validation import ImageData
from benchmarks.row_build import save_rows

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
    """Save latents of `count` samples, of which the last is for validation.

    The share of valid cells differs strongly, and the fourth sample has none. The albedo latent is
    the negative of the beauty latent, so that a training can learn it; for the samples in `spoilt`
    it is infinite.
    """
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
    save_rows(dataset, rows())
    return dataset.load()


def save_images(folder: Path, side: int = 16) -> ImageData:
    """Save images of `side` x `side` pixels, and an autoencoder of factor 2.

    Three are validation samples, v0 to v2; the others are those of `save_latents`, s0 to s11. Each
    two of these, s0 and s1 and so on, show one scene under two lights.
    """
    random = np.random.default_rng(1)

    def image() -> np.ndarray:
        return quantize(random.random((3, side, side)))

    def rows():
        for i in range(3):
            valid = np.ones((1, side, side), np.uint8)
            yield _pair(f"v{i}", f"v{i}", image(), image(), valid)
        for i in range(12):
            if i % 2 == 0:
                albedo = image()
            valid = (random.random((1, side, side)) < (0.2, 0.95, 0.6)[i % 3]).astype(np.uint8)
            yield _pair(f"s{i}", f"g{i // 2}", image(), albedo, valid)

    save_rows(PairShardsDataset(filepath=str(folder / "pairs")), rows())
    torch.manual_seed(0)
    settings = AutoencoderTraining(block_out_channels=(8, 16), max_steps=1)
    new_autoencoder(settings).save_pretrained(folder / "autoencoder")
    return load_images(folder)


def _pair(sample_id: str, group: str, *tensors: np.ndarray) -> dict:
    columns = dict(zip(("beauty", "albedo", "valid"), tensors, strict=True))
    return {"sample_id": sample_id, "group": group, **columns}


def load_images(folder: Path) -> ImageData:
    """Load what `save_images` saved."""
    manifest = pd.DataFrame(
        {"sample_id": ["v0", "v1", "v2"], "split": "validation", "row": [0, 1, 2]}
    )
    autoencoder = AutoencoderKL.from_pretrained(folder / "autoencoder").eval()
    return ImageData(PairShards(folder / "pairs"), manifest, autoencoder)


END_TO_END = {
    "objective": "end_to_end",
    "end_to_end": {
        "latent_weight": 0.3,
        "ssim_weight": [1, 0.2, 0.4, 4],
        "constancy_weight": 0.2,
        "decoded_crop": 8,
    },
    "augmentation": {
        "quarter_turns": True,
        "crop": 12,
        "crop_scale": [0.7, 1.3],
        "exposure": 0.3,
        "light_colour": 0.2,
        "sensor_noise": 0.03,
        "mix_lights": 0.5,
    },
}
"""The objective `end_to_end` with everything that draws random numbers."""
OBJECTIVES = {
    "diffusion": {},
    "diffusion on augmented images": {"augmentation": END_TO_END["augmentation"]},
    "end_to_end": END_TO_END,
    "end_to_end with the decoder": END_TO_END | {"train_decoder": {"ratio": 0.5}},
}
"""What is trained, by name."""
FILES = ("weights", "ema", "optimiser")
LONG = {"max_steps": 10, "checkpoints": {"every": 2, "keep_last": 9}, "log_every": 3}


def same(one: Path, two: Path) -> bool:
    """Whether two checkpoints hold the same tensors, bit for bit, and the same numbers."""
    for name in FILES:
        a, b = (load_file(folder / f"{name}.safetensors") for folder in (one, two))
        if a.keys() != b.keys() or not all(torch.equal(a[key], b[key]) for key in a):
            return False
    states = [read_json(folder, "state.json")["training"] | {"run": ""} for folder in (one, two)]
    return states[0] == states[1]


def call_in_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[], None]) -> None:
    """Have `act` called in the middle of the optimiser step `step` (0-based)."""
    accumulate = task.accumulate

    def interrupted(components, *arguments):
        totals = accumulate(components, *arguments)
        states = components.optimiser.optimizer.state
        if states and int(next(iter(states.values()))["step"]) == step:
            act()
        return totals

    monkeypatch.setattr(task, "accumulate", interrupted)


def decaying_at(steps: int) -> dict:
    """A learning rate that falls until step `steps`, even if the training ends earlier."""
    return {"peak": 1e-3, "warmup_steps": 1, "decay_steps": steps}


def start_torchrun(folder: Path, name: str, settings: dict, processes: int) -> subprocess.Popen:
    """Start a training in several processes, with the latents and images in `folder`."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes)),
            *("--standalone", __file__, str(folder), name, json.dumps(settings)),
        ],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def train_with_torchrun(
    folder: Path, name: str, settings: dict, processes: int
) -> subprocess.CompletedProcess:
    """Train in several processes, and wait for the end."""
    launcher = start_torchrun(folder, name, settings, processes)
    output, errors = launcher.communicate(timeout=240)
    return subprocess.CompletedProcess(launcher.args, launcher.returncode, output, errors)


def main(folder: Path, name: str, settings: dict) -> None:
    """Train as one of the processes."""
    latents = LatentShards(folder / "latents")
    params = TrainParams.model_validate(SETTINGS | settings)
    store = Checkpoints(folder / name)
    train_denoiser({"latents": latents}, load_images(folder), params, store, folder / "events")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
