"""Shards: read row by row, replaced whole or not at all."""

from pathlib import Path

import numpy as np
import psutil
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.shards.datasets import LatentSetsDataset, PairShardsDataset, ShardsDataset
from albedo_pipeline.shards.index import Rejected
from albedo_pipeline.shards.shards import Shards


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
    assert shards.shapes("x").tolist() == [[2, 3]] * 10
    assert shards.scalars["sample_id"].to_pylist() == [f"s{i}" for i in range(10)]
    for i in range(10):
        np.testing.assert_array_equal(shards.tensor("x", i), np.full((2, 3), i))


def test_reading_leaves_nothing_in_memory(tmp_path: Path) -> None:
    """64 MiB are read by a process that may grow by 16 MiB."""
    dataset = ShardsDataset(filepath=str(tmp_path / "large"), samples_per_shard=64)
    dataset.save({"x": np.full((256, 1024), i, np.uint8)} for i in range(256))
    shards = dataset.load()
    shards.tensor("x", 0)
    before = psutil.Process().memory_info().rss
    for row in range(256):
        assert (shards.tensor("x", row) == row).all()
    assert psutil.Process().memory_info().rss - before < 16 * 2**20


def test_rows_may_differ_in_shape(dataset: ShardsDataset) -> None:
    tensors = [np.arange(n * 6, dtype=np.uint16).reshape(3, n, 2) for n in (1, 4, 2, 3, 3, 1)]
    dataset.save({"sample_id": f"s{i}", "x": tensor} for i, tensor in enumerate(tensors))
    shards = dataset.load()
    assert shards.shapes("x").tolist() == [[3, n, 2] for n in (1, 4, 2, 3, 3, 1)]
    for row, tensor in enumerate(tensors):
        np.testing.assert_array_equal(shards.tensor("x", row), tensor)


def test_a_file_is_named_by_what_it_holds(tmp_path: Path) -> None:
    def names(folder: str, first: float) -> set[str]:
        dataset = ShardsDataset(filepath=str(tmp_path / folder), samples_per_shard=2)
        dataset.save({"id": f"s{i}", "x": np.array([first * (i < 2)])} for i in range(4))
        return {path.name for path in (tmp_path / folder).glob("shard-*.arrow")}

    assert names("a", 1) == names("b", 1)
    assert len(names("a", 1) & names("c", 2)) == 1  # the second file's rows are the same


def test_a_tensor_is_read_only(dataset: ShardsDataset) -> None:
    dataset.save(rows(3))
    assert not dataset.load().tensor("x", 1).flags.writeable


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    def fingerprint(name: str, first: float, identity: str = "s") -> str:
        dataset = ShardsDataset(filepath=str(tmp_path / name), samples_per_shard=2)
        dataset.save({"id": f"{identity}{i}", "x": np.array([first + i])} for i in range(5))
        return dataset.load().fingerprint()

    assert fingerprint("a", 0) == fingerprint("b", 0)
    assert len({fingerprint("c", 0), fingerprint("d", 1), fingerprint("e", 0, "t")}) == 3


def test_a_failed_save_leaves_the_old_shards_and_nothing_else(dataset: ShardsDataset) -> None:
    dataset.save(rows(3))

    def broken():
        yield from rows(6)
        raise OSError("no space left on device")

    with pytest.raises(Exception, match="no space left"):
        dataset.save(broken())
    assert len(dataset.load()) == 3
    assert len(list(dataset.load().folder.iterdir())) == 2  # the shard and the index


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="nowhere: no finished shards here"):
        Shards(tmp_path / "nowhere")


def test_a_damaged_shard_is_named(dataset: ShardsDataset) -> None:
    dataset.save(rows(3))
    (path,) = dataset.load().folder.glob("shard-*.arrow")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Exception, match=rf"{path.name}: damaged"):
        dataset.load()


def test_rejections_travel_beside_the_pairs(tmp_path: Path) -> None:
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    dataset.save([*rows(2), Rejected("bad", "g", "why")])
    assert dataset.load().rejected == [Rejected("bad", "g", "why")]


def test_nothing_usable_is_an_error(tmp_path: Path) -> None:
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    with pytest.raises(Exception, match="no usable sample among 1"):
        dataset.save([Rejected("bad", "g", "why")])
    assert not dataset.exists()
    assert not list((tmp_path / "pairs").iterdir())


def test_further_latent_sets_are_read_by_name(tmp_path: Path) -> None:
    ShardsDataset(filepath=str(tmp_path / "indoor")).save(rows(3))
    dataset = LatentSetsDataset(sets={"indoor": str(tmp_path / "indoor")})
    assert {name: len(latents) for name, latents in dataset.load().items()} == {"indoor": 3}
    with pytest.raises(Exception, match="nowhere: no finished shards here"):
        LatentSetsDataset(sets={"x": str(tmp_path / "nowhere")}).load()
