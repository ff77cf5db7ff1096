"""Shards: mapped without copying, replaced whole or not at all."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from albedo_pipeline.datasets.pair_shards import PairShardsDataset, Rejected
from albedo_pipeline.datasets.shards import Shards, ShardsDataset
from albedo_pipeline.errors import ProjectError


def rows(count: int):
    for i in range(count):
        yield {"sample_id": f"s{i}", "x": np.full((2, 3), i, np.float16)}


@pytest.fixture
def dataset(tmp_path: Path) -> ShardsDataset:
    return ShardsDataset(filepath=str(tmp_path / "shards"), samples_per_shard=4)


def test_round_trip_over_several_shards(dataset: ShardsDataset) -> None:
    dataset.save(rows(10))
    shards = dataset.load()
    assert len(shards) == 10
    assert len(list(shards.folder.glob("shard-*.arrow"))) == 3
    assert shards.shape("x") == (2, 3)
    assert shards.scalars["sample_id"].to_pylist() == [f"s{i}" for i in range(10)]
    for i in range(10):
        np.testing.assert_array_equal(shards.tensor("x", i), np.full((2, 3), i))


def test_a_tensor_is_a_view_of_the_mapped_file(dataset: ShardsDataset) -> None:
    dataset.save(rows(3))
    before = pa.total_allocated_bytes()
    views = [dataset.load().tensor("x", 1) for _ in range(100)]
    assert pa.total_allocated_bytes() == before
    assert not views[0].flags.owndata
    assert not views[0].flags.writeable


def test_a_failed_save_leaves_the_old_shards_and_nothing_else(dataset: ShardsDataset) -> None:
    dataset.save(rows(3))

    def broken():
        yield from rows(6)
        raise OSError("no space left on device")

    with pytest.raises(Exception, match="no space left"):
        dataset.save(broken())
    assert len(dataset.load()) == 3
    assert [p.name for p in dataset.load().folder.parent.iterdir()] == ["shards"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="nowhere: no shards here"):
        Shards(tmp_path / "nowhere")


def test_a_damaged_shard_is_named(dataset: ShardsDataset) -> None:
    dataset.save(rows(3))
    path = dataset.load().folder / "shard-00000.arrow"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Exception, match=r"shard-00000\.arrow: damaged"):
        dataset.load()


def test_rejections_travel_beside_the_pairs(tmp_path: Path) -> None:
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    dataset.save([*rows(2), Rejected("bad", "g", "why")])
    assert dataset.load().rejected.to_pylist() == [
        {"sample_id": "bad", "group": "g", "reason": "why"}
    ]


def test_nothing_usable_is_an_error(tmp_path: Path) -> None:
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    with pytest.raises(Exception, match="no usable sample among 1"):
        dataset.save([Rejected("bad", "g", "why")])
    assert not (tmp_path / "pairs").exists()
