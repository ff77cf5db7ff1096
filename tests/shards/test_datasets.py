"""The Kedro datasets of shards: streams of rows, rejections, further latent sets."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError

from albedo_pipeline.shards.datasets import LatentSetsDataset, PairShardsDataset, ShardsDataset
from albedo_pipeline.shards.index import Rejected


def rows(count: int) -> Iterator[dict]:
    for i in range(count):
        yield {"sample_id": f"s{i}", "x": np.full((2, 3), i, np.float16)}


def test_a_stream_replaces_the_old_shards(tmp_path: Path) -> None:
    dataset = ShardsDataset(filepath=str(tmp_path / "shards"), samples_per_shard=4)
    assert not dataset.exists()
    for count in (10, 5):
        dataset.save(rows(count))
        assert dataset.exists()
        assert len(dataset.load()) == count
    assert len(list((tmp_path / "shards").glob("shard-*.arrow"))) == 2


def test_a_failed_save_leaves_the_old_shards_and_nothing_else(tmp_path: Path) -> None:
    dataset = ShardsDataset(filepath=str(tmp_path / "shards"), samples_per_shard=4)
    dataset.save(rows(3))

    def broken() -> Iterator[dict]:
        yield from rows(6)
        raise OSError("no space left on device")

    with pytest.raises(DatasetError, match="shards: not finished: no space left on device"):
        dataset.save(broken())
    assert len(dataset.load()) == 3
    assert len(list((tmp_path / "shards").iterdir())) == 2  # the shard and the index


def test_a_second_run_does_not_write_to_the_same_folder(tmp_path: Path) -> None:
    dataset = ShardsDataset(filepath=str(tmp_path / "shards"))

    def interrupted() -> Iterator[dict]:
        with pytest.raises(DatasetError, match=r"shards: another run writes here \(process \d+"):
            dataset.save(rows(5))
        yield from rows(2)

    dataset.save(interrupted())
    assert len(dataset.load()) == 2


def test_rejections_are_stored_beside_the_pairs(tmp_path: Path) -> None:
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    dataset.save([*rows(2), Rejected("bad", "g", "why")])
    assert len(dataset.load()) == 2
    assert dataset.load().rejected == [Rejected("bad", "g", "why")]


def test_no_usable_sample_is_an_error(tmp_path: Path) -> None:
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    with pytest.raises(DatasetError, match="no usable sample among 1; 1 x why"):
        dataset.save([Rejected("bad", "g", "why")])
    assert not dataset.exists()
    assert not list((tmp_path / "pairs").iterdir())


def test_further_latent_sets_are_read_by_name(tmp_path: Path) -> None:
    ShardsDataset(filepath=str(tmp_path / "indoor")).save(rows(3))
    dataset = LatentSetsDataset(sets={"indoor": str(tmp_path / "indoor")})
    assert {name: len(latents) for name, latents in dataset.load().items()} == {"indoor": 3}
    with pytest.raises(DatasetError, match="read-only"):
        dataset.save({"indoor": rows(3)})
    with pytest.raises(DatasetError, match="nowhere: no finished shards here"):
        LatentSetsDataset(sets={"x": str(tmp_path / "nowhere")}).load()
