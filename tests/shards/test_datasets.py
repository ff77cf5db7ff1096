"""The Kedro datasets of shards: replaced content, rejections, further latent sets."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError

from albedo_pipeline.shards.datasets import LatentSetsDataset, PairShardsDataset, ShardsDataset
from albedo_pipeline.shards.index import Rejected
from benchmarks.row_build import save_rows


def rows(count: int) -> Iterator[dict]:
    for i in range(count):
        yield {"sample_id": f"s{i}", "x": np.full((2, 3), i, np.float16)}


def test_a_save_replaces_the_old_shards(tmp_path: Path) -> None:
    dataset = ShardsDataset(filepath=str(tmp_path / "shards"), samples_per_shard=4)
    assert not dataset.exists()
    for count in (10, 5):
        save_rows(dataset, rows(count))
        assert dataset.exists()
        shards = dataset.load()
        assert len(shards) == count
        files = (tmp_path / "shards").glob("shard-*.arrow")
        assert {path.name for path in files} == set(shards.index.shards)


def test_rejections_are_stored_beside_the_pairs(tmp_path: Path) -> None:
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    save_rows(dataset, [*rows(2), Rejected("bad", "g", "why")])
    assert len(dataset.load()) == 2
    assert dataset.load().rejected == [Rejected("bad", "g", "why")]


def test_no_usable_sample_is_an_error(tmp_path: Path) -> None:
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    with pytest.raises(DatasetError, match="no usable sample among 1; 1 x why"):
        save_rows(dataset, [Rejected("bad", "g", "why")])
    assert not dataset.exists()
    assert not list((tmp_path / "pairs").iterdir())


def test_further_latent_sets_are_read_by_name(tmp_path: Path) -> None:
    save_rows(ShardsDataset(filepath=str(tmp_path / "indoor")), rows(3))
    dataset = LatentSetsDataset(sets={"indoor": str(tmp_path / "indoor")})
    assert {name: len(latents) for name, latents in dataset.load().items()} == {"indoor": 3}
    with pytest.raises(DatasetError, match="read-only"):
        dataset.save({"indoor": rows(3)})
    with pytest.raises(DatasetError, match="nowhere: no finished shards here"):
        LatentSetsDataset(sets={"x": str(tmp_path / "nowhere")}).load()
