"""Duplicates among many samples that look alike."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from albedo_pipeline.preprocessing import duplicates
from albedo_pipeline.preprocessing.duplicates import Duplicates, find_duplicates
from albedo_pipeline.shards.datasets import PairShardsDataset
from albedo_pipeline.shards.pair_shards import PairShards
from benchmarks.row_build import save_rows

SIDE = 16


def ramp_image(height: float, change: float = 0) -> np.ndarray:
    """A ramp from 0.2 to 0.2 + height; `change` is added to its right half."""
    ramp = np.linspace(0.2, 0.2 + height, SIDE * SIDE).reshape(SIDE, SIDE)
    ramp[:, SIDE // 2 :] += change
    return np.stack([ramp] * 3)


def duplicates_of(folder: Path, samples: list[tuple[str, str, np.ndarray]]) -> Duplicates:
    """Duplicates among samples of (group, split, image), which all have one code."""
    dataset = PairShardsDataset(filepath=str(folder / "pairs"))
    save_rows(
        dataset,
        [
            {
                "sample_id": str(number),
                "group": group,
                "beauty": np.rint(image * 65535).astype(np.uint16),
                "valid": np.ones((1, SIDE, SIDE), np.uint8),
            }
            for number, (group, _, image) in enumerate(samples)
        ],
    )
    pairs: PairShards = dataset.load()
    manifest = pairs.scalars.to_pandas().assign(look=0, split=[split for _, split, _ in samples])
    return find_duplicates(pairs, manifest)


def test_each_frame_has_its_near_duplicate_among_many(tmp_path: Path) -> None:
    heights = np.linspace(0.1, 0.7, 12)
    first = [("a", "train", ramp_image(height)) for height in heights]
    second = [("b", "test", ramp_image(height) + 0.0005) for height in heights]
    near = duplicates_of(tmp_path, first + second).near
    assert (near[:12] == -1).all()
    assert (near[12:] >= 0).all()


def test_a_duplicate_in_another_split_is_named_first(tmp_path: Path) -> None:
    changes = {"a": 0.0, "b": 0.02, "c": 0.01}
    splits = {"a": "train", "b": "test", "c": "test"}
    samples = [(name, splits[name], ramp_image(0.3, change)) for name, change in changes.items()]
    assert duplicates_of(tmp_path, samples).near[2] == 0


@pytest.mark.parametrize("groups", ["same", "other"])
def test_views_of_one_group_may_look_alike(tmp_path: Path, groups: str) -> None:
    samples = [("same", "train", ramp_image(0.3)), (groups, "train", ramp_image(0.3, 0.001))]
    expected = [-1, -1] if groups == "same" else [-1, 0]
    assert duplicates_of(tmp_path, samples).near.tolist() == expected


def test_exact_duplicates_name_the_first() -> None:
    first = duplicates._first_equal(pd.Series(["a", "b", "a", "c", "b", "a"]))
    assert first.tolist() == [-1, -1, 0, -1, 1, 0]
    assert duplicates._first_equal(pd.Series([], dtype="str")).tolist() == []


def test_candidates_are_all_pairs_of_similar_codes() -> None:
    """Of 300 codes in 60 clusters, each one or two bits away from the middle of its cluster."""
    rng = np.random.default_rng(0)
    one, other = np.uint64(1) << rng.integers(0, 64, (2, 5, 60)).astype(np.uint64)
    other[::2] = 0
    codes = (rng.integers(0, 2**63, 60, dtype=np.uint64) ^ one ^ other).ravel()
    groups = rng.integers(0, 4, 300)
    expected = {
        (a, b)
        for a, b in combinations(range(300), 2)
        if int(codes[a] ^ codes[b]).bit_count() <= 3 and groups[a] != groups[b]
    }
    assert len(expected) > 100
    assert set(duplicates._candidates(codes, groups)) == expected


def test_codes_with_one_part_are_compared_with_their_neighbours_alone() -> None:
    codes = np.zeros(200, np.uint64)
    found = set(duplicates._candidates(codes, np.arange(200)))
    assert found == {(a, b) for a in range(200) for b in range(a + 1, min(200, a + 65))}
