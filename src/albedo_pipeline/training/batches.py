"""The effective batch of an optimiser step: a pure function of (latents, settings, step)."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import lru_cache
from math import floor, prod
from typing import Self

import numpy as np
import torch

from albedo_pipeline.diffusion.noise import annealed, gaussian, multi_resolution
from albedo_pipeline.diffusion.seeds import Purpose, generator
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params import TrainParams
from albedo_pipeline.params.optimisation import Noise
from albedo_pipeline.runtime.storage import is_remote
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.training.schedules import value_at


@dataclass(frozen=True)
class DeviceBatch:
    """Samples as tensors that are all on one device."""

    def to(self, device: torch.device) -> Self:
        """Copy to `device`; from pinned memory without waiting for the copy."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        return type(self)(**{k: v.to(device, non_blocking=True) for k, v in tensors.items()})

    def pinned(self) -> Self:
        """Copy to page-locked memory, for fast copies to a GPU."""
        return type(self)(**{f.name: getattr(self, f.name).pin_memory() for f in fields(self)})


@dataclass(frozen=True)
class Batch(DeviceBatch):
    """Latents of one optimiser step, or some of them."""

    beauty: torch.Tensor
    """Beauty latents, float32 [B, C, h, w]."""
    albedo: torch.Tensor
    """Albedo latents, float32 [B, C, h, w]."""
    valid: torch.Tensor
    """Mask of the valid cells, uint8 [B, 1, h, w]."""
    noise: torch.Tensor
    """Noise of unit variance, float32 [B, C, h, w]."""
    timesteps: torch.Tensor
    """Timestep of each sample, int64 [B]."""


@dataclass(frozen=True)
class Source:
    """The usable samples of one latent set."""

    latents: LatentShards
    rows: np.ndarray
    """Numbers of the rows that have at least one valid cell."""

    def only(self, members: np.ndarray) -> Self:
        """The source with some of its samples; `members` is bool, one flag for each row."""
        return type(self)(self.latents, self.rows[members])


def _channels(source: Source) -> int:
    return int(source.latents.shapes("albedo")[0, 1])


def usable(latents: LatentShards, split: str) -> Source:
    """The samples of a split that have at least one valid cell.

    Raises:
        ProjectError: if the split has no such sample.
    """
    rows = latents.rows(split)
    cells = latents.valid_cells()[rows]
    if not cells.any():
        raise ProjectError(f"{latents.folder}: no sample of split {split!r} has a valid cell")
    return Source(latents, rows[cells > 0])


@lru_cache(maxsize=8)
def epoch_order(count: int, seed: int, epoch: int, source: int = 0) -> np.ndarray:
    """Order in which an epoch uses the `count` samples of a source."""
    return generator(seed, Purpose.ORDER, epoch, source).permutation(count)


def sample_at(count: int, seed: int, position: int, source: int = 0) -> int:
    """Index of the sample at a position in a source's endless stream of epochs."""
    return int(epoch_order(count, seed, position // count, source)[position % count])


def source_at(shares: tuple[float, ...], position: int) -> tuple[int, int]:
    """Source of the sample at a position in the mixed stream, and its position in that source.

    The mixture is systematic, not random: among any n consecutive samples a source has its share of
    n, rounded up or down. The position in a source follows from the position in the stream alone,
    so nothing has to be counted from the beginning.

    With the share s of the remaining positions, a source holds position p if
    floor((p + 1) s + 1/2) > floor(p s + 1/2); the positions of the others are renumbered.
    """
    remaining = 1.0
    for source, share in enumerate(shares[:-1]):
        before, after = (floor(p * share / remaining + 0.5) for p in (position, position + 1))
        if after > before:
            return source, before
        position -= before
        remaining -= share
    return len(shares) - 1, position


@dataclass(frozen=True)
class Bucket:
    """The samples of one shape, from all sources."""

    share: float
    """Share of the optimiser steps that use this bucket."""
    sources: list[Source]
    """The sources that have samples of this shape, with these samples alone."""
    shares: tuple[float, ...]
    """Share of each source in the bucket's samples; they add up to 1."""
    streams: tuple[int, ...]
    """Number of each source's stream of epochs, for the random order."""


def buckets(sources: list[Source], shares: tuple[float, ...]) -> list[Bucket]:
    """Divide the samples by shape, because the effective batch of a step has one shape.

    Over all steps each source gets its share, and each of its samples an equal part of that.
    """
    shapes = [source.latents.shapes("albedo")[source.rows] for source in sources]
    all_buckets = []
    for number, shape in enumerate(np.unique(np.concatenate(shapes), axis=0)):
        members = [(of_source == shape).all(axis=1) for of_source in shapes]
        parts = [share * float(m.mean()) for share, m in zip(shares, members, strict=True)]
        present = [i for i, part in enumerate(parts) if part > 0]
        all_buckets.append(
            Bucket(
                sum(parts),
                [sources[i].only(members[i]) for i in present],
                tuple(parts[i] / sum(parts) for i in present),
                tuple(number * len(sources) + i for i in present),
            )
        )
    return all_buckets


class Stream:
    """All samples that a training uses, in their order."""

    def __init__(self, sources: Iterable[Source], params: TrainParams) -> None:
        """Mix the sources, which stand in the order of `params.shares()`.

        Raises:
            ProjectError: if their latents differ in the number of channels.
        """
        self._sources, self._params = list(sources), params
        first = self._sources[0].latents
        for source in self._sources[1:]:
            if _channels(source) != _channels(self._sources[0]):
                raise ProjectError(
                    f"{source.latents.folder}: latents of {_channels(source)} channels, but "
                    f"{first.folder} has {_channels(self._sources[0])}"
                )
        self._buckets = buckets(self._sources, tuple(params.shares().values()))
        self._bucket_shares = tuple(bucket.share for bucket in self._buckets)

    @property
    def channels(self) -> int:
        """Number of channels of a latent."""
        return _channels(self._sources[0])

    @property
    def largest_size(self) -> tuple[int, int]:
        """Height and width of the largest latent, cells."""
        shapes = np.concatenate([s.latents.shapes("albedo")[s.rows] for s in self._sources])
        height, width = max(shapes[:, -2:].tolist(), key=prod)
        return height, width

    def __len__(self) -> int:
        """Number of samples of all sources, which make an epoch."""
        return sum(len(source.rows) for source in self._sources)

    def _find(self, step: int, place: int) -> tuple[Source, int]:
        """Source and index of the sample at a place in the effective batch of `step`."""
        number, step = source_at(self._bucket_shares, step)
        bucket = self._buckets[number]
        position = step * self._params.effective_batch_size + place
        number, position = source_at(bucket.shares, position)
        source, stream = bucket.sources[number], bucket.streams[number]
        return source, sample_at(len(source.rows), self._params.seed, position, stream)

    @property
    def is_remote(self) -> bool:
        """Whether latents are read from object storage."""
        return any(is_remote(source.latents.folder) for source in self._sources)

    def fetch(self, step: int, place: int) -> None:
        """Read the latents of a place ahead of `batch`, if they are in object storage."""
        source, index = self._find(step, place)
        if is_remote(source.latents.folder):
            source.latents.fetch(int(source.rows[index]))

    def sample_ids(self, step: int) -> list[str]:
        """The sample_ids of the effective batch of `step`."""
        samples = (self._find(step, place) for place in range(self._params.effective_batch_size))
        return [s.latents.scalars["sample_id"][int(s.rows[i])].as_py() for s, i in samples]

    def batch(self, step: int, places: range) -> Batch:
        """The samples at some places in the effective batch of `step`, on the CPU.

        Order, flips, timesteps (uniform) and noise depend on seed, step and place only.
        """
        samples = [self._sample(step, place) for place in places]
        return Batch(*(torch.stack(column) for column in zip(*samples, strict=True)))

    def _sample(self, step: int, place: int) -> tuple[torch.Tensor, ...]:
        """The fields of a `Batch` for one place."""
        source, index = self._find(step, place)
        row, version = int(source.rows[index]), int(self._is_flipped(step, place))
        beauty, albedo, valid = (
            source.latents.tensor(name, row)[version] for name in ("beauty", "albedo", "valid")
        )
        return (
            torch.from_numpy(beauty.astype(np.float32)),
            torch.from_numpy(albedo.astype(np.float32)),
            torch.from_numpy(valid.copy()),
            *self._noise_and_timestep(step, place, albedo.shape),
        )

    def _is_flipped(self, step: int, place: int) -> bool:
        random = generator(self._params.seed, Purpose.FLIP, step, place)
        return bool(random.random() < self._params.flip_probability)

    def _noise_and_timestep(
        self, step: int, place: int, shape: tuple[int, int, int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Noise [C, h, w] and timestep [], int64, of one sample."""
        params = self._params
        steps = params.noise_schedule.num_train_timesteps
        timestep = int(generator(params.seed, Purpose.TIMESTEP, step, place).integers(steps))
        random = generator(params.seed, Purpose.NOISE, step, place)
        strength = value_at(params.noise.strength, step)
        noise = draw_noise(random, shape, params.noise, strength, timestep / steps)
        return noise, torch.tensor(timestep)


def draw_noise(
    random: np.random.Generator,
    shape: tuple[int, int, int],
    params: Noise,
    strength: float,
    time: float,
) -> torch.Tensor:
    """Noise of one sample, float32 [C, h, w].

    Args:
        random: source of all random draws.
        shape: [C, h, w] of the noise.
        params: kind of the noise.
        strength: value of `params.strength` at the optimiser step.
        time: t / T, in [0, 1).
    """
    if params.kind == "gaussian":
        return gaussian(random, shape)
    strength = annealed(strength, time) if params.annealed else strength
    return multi_resolution(random, shape, strength, params.strategy, params.first_level)
