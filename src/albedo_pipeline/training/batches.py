"""The effective batch of an optimiser step: a pure function of (latents, seed, step)."""

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Self

import numpy as np
import torch

from albedo_pipeline.datasets.latent_shards import LatentShards
from albedo_pipeline.diffusion.seeds import Purpose, generator, normal
from albedo_pipeline.errors import ProjectError


@dataclass(frozen=True)
class Batch:
    """Samples of one optimiser step, or a part of them; all on one device."""

    beauty: torch.Tensor
    """float32 [B, C, h, w]."""
    albedo: torch.Tensor
    """float32 [B, C, h, w]."""
    valid: torch.Tensor
    """uint8 [B, 1, h, w]."""
    noise: torch.Tensor
    """float32 [B, C, h, w], standard normal."""
    timesteps: torch.Tensor
    """int64 [B]."""

    def part(self, start: int, end: int, device: torch.device) -> Self:
        """Samples start … end - 1, on `device`."""
        parts = {f.name: getattr(self, f.name)[start:end].to(device) for f in fields(self)}
        return type(self)(**parts)


def usable_rows(latents: LatentShards, split: str) -> np.ndarray:
    """The split's rows that have at least one valid cell.

    Raises:
        ProjectError: where there is none.
    """
    rows = latents.rows(split)
    usable = np.array([latents.tensor("valid", row).any() for row in rows])
    if not usable.any():
        raise ProjectError(f"{latents.folder}: no sample of split {split!r} has a valid cell")
    return rows[usable]


@lru_cache(maxsize=2)
def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order in which an epoch visits `count` samples."""
    return generator(seed, Purpose.ORDER, epoch).permutation(count)


def visited(count: int, seed: int, position: int) -> int:
    """Index of the sample at a position of the endless stream of epochs."""
    return int(epoch_order(count, seed, position // count)[position % count])


def draw_batch(
    latents: LatentShards,
    rows: np.ndarray,
    seed: int,
    step: int,
    batch_size: int,
    flip_probability: float,
    num_train_timesteps: int,
) -> Batch:
    """The effective batch of `step`, on the CPU.

    Sample order, flips, timesteps (uniform) and noise depend on seed, step and place alone.
    """
    samples = []
    for place in range(batch_size):
        row = rows[visited(len(rows), seed, step * batch_size + place)]
        flipped = int(generator(seed, Purpose.FLIP, step, place).random() < flip_probability)
        timestep = generator(seed, Purpose.TIMESTEP, step, place).integers(num_train_timesteps)
        views = [latents.tensor(name, row)[flipped] for name in ("beauty", "albedo", "valid")]
        noise = normal(seed, Purpose.NOISE, step, place, views[1].shape)
        samples.append((*views, noise, timestep))
    beauty, albedo, valid, noise, timesteps = zip(*samples, strict=True)
    return Batch(
        beauty=torch.from_numpy(np.stack(beauty).astype(np.float32)),
        albedo=torch.from_numpy(np.stack(albedo).astype(np.float32)),
        valid=torch.from_numpy(np.stack(valid)),
        noise=torch.stack(noise),
        timesteps=torch.from_numpy(np.array(timesteps, dtype=np.int64)),
    )
