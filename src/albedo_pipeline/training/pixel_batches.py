"""Batches of augmented images: the same samples as `batches`, as pixels instead of latents."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from albedo_pipeline.diffusion.seeds import Purpose, generator
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.evaluation.light_sets import light_sets
from albedo_pipeline.imaging.augmentation import draw_geometry, mix_lights, place, relight
from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb
from albedo_pipeline.imaging.pixels import dequantize
from albedo_pipeline.params import TrainParams
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.training.batches import DeviceBatch, Source, Stream

_WHOLE = 1 - 1e-4
"""Resized mask above which a pixel is valid; the margin allows for rounding."""


@dataclass(frozen=True)
class PixelBatch(DeviceBatch):
    """Images of one optimiser step, or some of them."""

    beauty: torch.Tensor
    """Beauty, float32 [B, 3, H, W], sRGB-encoded, in [-1, 1]."""
    albedo: torch.Tensor
    """Albedo, as the beauty."""
    valid: torch.Tensor
    """Mask of the valid pixels, uint8 [B, 1, H, W]."""
    noise: torch.Tensor
    """Noise of the objective `diffusion`, float32 [B, C, h, w]; empty for `end_to_end`."""
    timesteps: torch.Tensor
    """Timestep of each sample, int64 [B]."""
    window: torch.Tensor
    """Place of the decoded crop, in [0, 1) of the possible rows and columns, float32 [B, 2]."""
    is_second: torch.Tensor
    """Whether a sample shows the scene of the sample before it under another light, bool [B]."""


class PixelStream(Stream):
    """All samples that a training uses, in their order, as augmented images."""

    def __init__(
        self, sources: Iterable[Source], params: TrainParams, pairs: PairShards, factor: int
    ) -> None:
        """Check that every sample has an image, and find those of one scene.

        Args:
            sources: stand in the order of `params.shares()`.
            params: settings of the training.
            pairs: the images of all samples.
            factor: width of a latent cell, pixels.

        Raises:
            ProjectError: if `pairs` lacks a sample, or the crop does not fit.
        """
        super().__init__(sources, params)
        self._pairs, self._factor = pairs, factor
        crop = params.augmentation.crop
        decoded = params.end_to_end.decoded_crop if params.objective == "end_to_end" else None
        for name, side in (
            ("augmentation.crop", crop),
            ("end_to_end.decoded_crop", decoded),
        ):
            if side is not None and side % factor:
                raise ProjectError(f"train.{name}: {side} is not a multiple of {factor}")
        ids = pairs.column("sample_id").to_pylist()
        self._pair_rows = dict(zip(ids, range(len(ids)), strict=True))
        self._check_images()
        self._partners: dict[int, list[int]] = {}
        if params.augmentation.mix_lights or params.has_light_pairs:
            self._partners = self._other_lights()

    @property
    def is_remote(self) -> bool:
        """No: images are not read ahead, and no latent is read."""
        return False

    @property
    def largest_size(self) -> tuple[int, int]:
        """Height and width of the largest latent, cells."""
        crop = self._params.augmentation.crop
        return (crop // self._factor, crop // self._factor) if crop else super().largest_size

    def batch(self, step: int, places: range) -> PixelBatch:  # type: ignore[override]
        """The samples at some places in the effective batch of `step`, on the CPU.

        All random draws depend on seed, step and place only.
        """
        samples = [self._pixels(step, place) for place in places]
        stacked = [torch.stack(column) for column in zip(*samples, strict=True)]
        return PixelBatch(*stacked)

    def _pixels(self, step: int, number: int) -> tuple[torch.Tensor, ...]:
        """The fields of a `PixelBatch` for the sample at place `number`."""
        seed, augmentation = self._params.seed, self._params.augmentation
        row, is_second = self._row(step, number)
        first = number - 1 if is_second else number  # both of a light pair show the same place
        light = generator(seed, Purpose.LIGHT, step, number)
        move = self._geometry(step, first, row)
        mixed, mask = self._mixed(light, row)
        beauty = move(mixed)
        if augmentation.changes_light:
            beauty = relight(
                light,
                beauty,
                augmentation.exposure,
                augmentation.light_colour,
                augmentation.sensor_noise,
            )
        valid = move(mask.astype(np.float32)) > _WHOLE
        height, width = (side // self._factor for side in valid.shape[1:])
        window = generator(seed, Purpose.DECODED_WINDOW, step, first)
        return (
            _encoded(beauty),
            _encoded(move(self._linear("albedo", row))),
            torch.from_numpy(valid.astype(np.uint8)),
            *self._noise_and_timestep(step, number, (self.channels, height, width)),
            torch.from_numpy(window.random(2, dtype=np.float32)),
            torch.tensor(is_second),
        )

    def _linear(self, name: str, row: int) -> np.ndarray:
        return decode_srgb(dequantize(self._pairs.tensor(name, row)))

    def _geometry(self, step: int, number: int, row: int) -> Callable[[np.ndarray], np.ndarray]:
        """What moves the images [C, H, W] of a sample to their place in the batch."""
        augmentation, is_flipped = self._params.augmentation, self._is_flipped(step, number)
        height, width = self._pairs.shapes("beauty")[row, 1:]
        if augmentation.crop is None and not augmentation.quarter_turns:
            return lambda image: np.ascontiguousarray(image[..., ::-1] if is_flipped else image)
        geometry = draw_geometry(
            generator(self._params.seed, Purpose.GEOMETRY, step, number),
            int(height),
            int(width),
            augmentation.crop or int(height),
            augmentation.crop_scale,
            augmentation.quarter_turns,
            is_flipped,
        )
        return lambda image: place(image, geometry)

    def _row(self, step: int, number: int) -> tuple[int, bool]:
        """Row of the pair at a place, and whether it is the second one of a light pair."""
        if self._params.has_light_pairs and number % 2:
            first = self._pair_row(step, number - 1)
            if partners := self._partners.get(first):
                random = generator(self._params.seed, Purpose.PARTNER, step, number)
                return partners[int(random.integers(len(partners)))], True
        return self._pair_row(step, number), False

    def _pair_row(self, step: int, number: int) -> int:
        source, index = self._find(step, number)
        sample_id = source.latents.scalars["sample_id"][int(source.rows[index])].as_py()
        return self._pair_rows[sample_id]

    def sample_ids(self, step: int) -> list[str]:
        """The sample_ids of the effective batch of `step`."""
        ids = self._pairs.column("sample_id")
        places = range(self._params.effective_batch_size)
        return [ids[self._row(step, place)[0]].as_py() for place in places]

    def _training_ids(self) -> Iterator[str]:
        for source in self._sources:
            yield from source.latents.scalars["sample_id"].take(source.rows).to_pylist()

    def _check_images(self) -> None:
        """Raise ProjectError if a sample has no image, or one that cannot be turned."""
        augmentation, shapes = self._params.augmentation, self._pairs.shapes("beauty")
        turned = augmentation.quarter_turns and augmentation.crop is None
        for sample_id in self._training_ids():
            if sample_id not in self._pair_rows:
                raise ProjectError(
                    f"train.mixture: {self._pairs.folder} has no image of sample {sample_id}, "
                    "which augmentation and the objective 'end_to_end' need"
                )
            _, height, width = shapes[self._pair_rows[sample_id]]
            if turned and height != width:
                raise ProjectError(
                    f"train.augmentation.quarter_turns: sample {sample_id} has {width} x {height} "
                    "pixels and is not square; set train.augmentation.crop"
                )

    def _mixed(self, random: np.random.Generator, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Linear beauty and valid mask of a row, at random mixed with one under another light."""
        beauty, valid = self._linear("beauty", row), self._pairs.tensor("valid", row) == 1
        partners, (chance, share) = self._partners.get(row), random.random(2)
        if not partners or chance >= self._params.augmentation.mix_lights:
            return beauty, valid
        other = partners[int(random.integers(len(partners)))]
        both = valid & (self._pairs.tensor("valid", other) == 1)
        return mix_lights(beauty, self._linear("beauty", other), share), both

    def _noise_and_timestep(
        self, step: int, place: int, shape: tuple[int, int, int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """As in `Stream`; the objective `end_to_end` has neither."""
        if self._params.objective == "end_to_end":
            return torch.zeros(0), torch.tensor(0)
        return super()._noise_and_timestep(step, place, shape)

    def _other_lights(self) -> dict[int, list[int]]:
        """Rows that show the same surfaces under another light, by row, of training samples."""
        groups = self._pairs.column("group").to_pylist()
        rows = sorted({self._pair_rows[sample_id] for sample_id in self._training_ids()})
        sizes = Counter(groups[row] for row in rows)

        def truth(row: int) -> tuple[np.ndarray, np.ndarray]:
            return self._pairs.tensor("albedo", row), self._pairs.tensor("valid", row)

        several = [(row, groups[row]) for row in rows if sizes[groups[row]] > 1]
        sets = light_sets(several, truth)
        return {row: [r for r in each if r != row] for each in sets for row in each}


def _encoded(linear: np.ndarray) -> torch.Tensor:
    """Linear, in [0, 1] => sRGB-encoded, in [-1, 1]."""
    return torch.from_numpy(encode_srgb(np.clip(linear, 0, 1))) * 2 - 1
