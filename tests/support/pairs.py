"""Small pairs of beauty and albedo, made for the tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.readers.filename_list import FilenameListDataset
from albedo_pipeline.readers.raw_pairs import RawPair


def make_pair(sample_id: str, side: int = 32, seed: int = 0) -> RawPair:
    """A pair of coloured patches with smooth shading; the left eighth is masked."""
    random = np.random.default_rng([seed, *sample_id.encode()])
    patches = random.uniform(0.05, 0.9, size=(4, 4, 3)).astype(np.float32)
    albedo = np.kron(patches, np.ones((side // 4, side // 4, 1), np.float32))
    light = np.linspace(0.2, 3.0, side, dtype=np.float32)[:, None, None]
    valid = np.ones((side, side), bool)
    valid[:, : side // 8] = False
    return RawPair(sample_id, sample_id.split("/")[0], albedo * light, albedo, valid)


def tiled_scene(side: int = 128, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Linear grey beauty and albedo, [H, W], of random tiles with smooth shading, and a mask that
    is true everywhere."""
    random = np.random.default_rng(seed)
    tiles = random.uniform(0.05, 0.9, (16, 16)).astype(np.float32)
    albedo = np.kron(tiles, np.ones((side // 16, side // 16), np.float32))
    down, across = np.mgrid[:side, :side] / side
    light = 0.2 + 0.8 * (down + np.sin(5 * across) ** 2) / 2
    return (albedo * light).astype(np.float32), albedo, np.ones((side, side), bool)


def fake_pairs(groups: int, views: int, side: int = 32) -> Iterator[RawPair]:
    """`views` pairs in each group."""
    for group in range(groups):
        for view in range(views):
            yield make_pair(f"scene-{group:03d}/view-{view}", side)


@pytest.fixture
def fake_pair() -> Callable[..., RawPair]:
    """Function that makes one pair."""
    return make_pair


@pytest.fixture
def pair_list(tmp_path: Path) -> Callable[..., FilenameListDataset]:
    """Function that writes pairs as EXR files and returns the dataset that lists them."""

    def write(groups: int = 4, views: int = 2, side: int = 32) -> FilenameListDataset:
        dataset = FilenameListDataset(filepath=str(tmp_path / "raw" / "pairs.txt"))
        dataset.save(fake_pairs(groups, views, side))
        return dataset

    return write
