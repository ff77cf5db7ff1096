"""Folders of shards as their readers see them: rows, shapes, batches, fingerprints."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.shards.datasets import LatentShardsDataset, PairShardsDataset, ShardsDataset
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import Shards
from benchmarks.row_build import save_rows


def rows(count: int) -> Iterator[dict]:
    for i in range(count):
        yield {"sample_id": f"s{i}", "x": np.full((2, 3), i, np.float16)}


def test_rows_of_several_shards_are_one_sequence(tmp_path: Path) -> None:
    dataset = ShardsDataset(filepath=str(tmp_path / "shards"), samples_per_shard=4)
    save_rows(dataset, rows(10))
    shards = dataset.load()
    assert len(shards) == 10
    assert len(list(shards.folder.glob("shard-*.arrow"))) == len(shards.index.shards) > 1
    assert shards.tensor_names == ["x"]
    assert shards.shapes("x").tolist() == [[2, 3]] * 10
    assert shards.scalars["sample_id"].to_pylist() == [f"s{i}" for i in range(10)]
    for i in range(10):
        np.testing.assert_array_equal(shards.tensor("x", i), np.full((2, 3), i))


def test_few_files_are_open_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("albedo_pipeline.shards.shards._OPEN_FILES", 3)
    dataset = ShardsDataset(filepath=str(tmp_path / "shards"), samples_per_shard=2)
    save_rows(dataset, rows(40))
    shards = dataset.load()
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(partial(shards.tensor, "x"), [*range(40)] * 3))
    assert [int(tensor[0, 0]) for tensor in read] == [*range(40)] * 3
    opened = [file.path for file in psutil.Process().open_files()]
    assert sum(path.startswith(str(tmp_path)) for path in opened) == 3


def test_open_shards_can_be_read_after_others_replaced_them(tmp_path: Path) -> None:
    dataset = ShardsDataset(filepath=str(tmp_path / "shards"), samples_per_shard=2)
    save_rows(dataset, rows(4))
    shards = dataset.load()
    other = {"sample_id": "other", "x": np.zeros((2, 3), np.float16)}
    save_rows(dataset, [other, other])
    assert [int(shards.tensor("x", row)[0, 0]) for row in range(4)] == [0, 1, 2, 3]


def test_the_scalars_are_held_once(tmp_path: Path) -> None:
    dataset = ShardsDataset(filepath=str(tmp_path / "shards"), samples_per_shard=2)
    save_rows(dataset, rows(5))
    shards = dataset.load()
    before = shards.fingerprint()
    held = shards.scalars["sample_id"].chunk(0).buffers()[2].address
    parts = [shard.scalars["sample_id"].chunk(0) for shard in shards._shards]
    assert len(parts) > 1
    assert {part.buffers()[2].address for part in parts} == {held}
    assert [name for part in parts for name in part.to_pylist()] == [f"s{i}" for i in range(5)]
    assert shards.fingerprint() == before == "3da1665aa1861cbe"


def test_reading_leaves_nothing_in_memory(tmp_path: Path) -> None:
    """The process reads 64 MiB and may grow by 16 MiB."""
    dataset = ShardsDataset(filepath=str(tmp_path / "large"), samples_per_shard=64)
    save_rows(dataset, ({"x": np.full((256, 1024), i, np.uint8)} for i in range(256)), 256)
    shards = dataset.load()
    shards.tensor("x", 0)
    before = psutil.Process().memory_info().rss
    for row in range(256):
        assert (shards.tensor("x", row) == row).all()
    assert psutil.Process().memory_info().rss - before < 16 * 2**20


def test_the_fingerprint_depends_on_the_content_alone(tmp_path: Path) -> None:
    def fingerprint(name: str, first: float, identity: str = "s", rows_per_shard: int = 2) -> str:
        dataset = ShardsDataset(filepath=str(tmp_path / name), samples_per_shard=rows_per_shard)
        save_rows(dataset, ({"id": f"{identity}{i}", "x": np.array([first + i])} for i in range(5)))
        return dataset.load().fingerprint()

    assert fingerprint("a", 0) == fingerprint("b", 0) == fingerprint("f", 0, rows_per_shard=5)
    assert len({fingerprint("c", 0), fingerprint("d", 1), fingerprint("e", 0, "t")}) == 3


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="nowhere: no finished shards here"):
        Shards(tmp_path / "nowhere")


def test_pairs_are_batched_by_shape(tmp_path: Path) -> None:
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    widths = (4, 2, 4, 4, 2, 4)
    save_rows(
        dataset,
        (
            {"sample_id": f"s{i}", "beauty": np.full((3, 2, width), i, np.uint16)}
            for i, width in enumerate(widths)
        ),
    )
    pairs = dataset.load()
    batches = [batch.tolist() for batch in pairs.batches([0, 1, 2, 3, 4], 2)]
    assert batches == [[1, 4], [0, 2], [3]]
    stacked = pairs.batch("beauty", [0, 2])
    assert stacked.shape == (2, 3, 2, 4)
    assert stacked[:, 0, 0, 0].tolist() == [0, 2]


def test_a_manifest_of_other_pairs_is_an_error(tmp_path: Path) -> None:
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    save_rows(dataset, rows(3))
    pairs = dataset.load()
    manifest: pd.DataFrame = pairs.scalars.to_pandas()
    pairs.check_manifest(manifest)
    for other in (manifest[:2], manifest[::-1], manifest.assign(digest="0")):
        with pytest.raises(ProjectError, match="pairs: not the pairs of the manifest; run ingest"):
            pairs.check_manifest(other)
    with pytest.raises(ProjectError, match="manifest: no column digest; run ingest again"):
        pairs.check_manifest(manifest.drop(columns="digest"))


def test_of_the_scalars_of_pairs_only_some_are_held(tmp_path: Path) -> None:
    every = ShardsDataset(filepath=str(tmp_path / "pairs"), samples_per_shard=2)
    save_rows(every, (row | {"group": "g", "exposure": 0.5} for row in rows(3)))
    pairs = PairShards(tmp_path / "pairs")
    assert [shard.scalars.column_names for shard in pairs._shards] == 2 * [
        ["sample_id", "group", "digest"]
    ]
    assert pairs.fingerprint() == every.load().fingerprint()
    assert pairs.scalars.equals(every.load().scalars)
    assert pairs.column("group").to_pylist() == ["g"] * 3
    assert pairs.column("exposure").to_pylist() == [0.5] * 3


def test_latents_are_found_by_split(tmp_path: Path) -> None:
    dataset = LatentShardsDataset(filepath=str(tmp_path / "latents"))
    splits = ("train", "test", "train")
    save_rows(
        dataset,
        (
            row | {"split": split, "valid_cells": 7}
            for row, split in zip(rows(3), splits, strict=True)
        ),
    )
    latents = dataset.load()
    assert latents.rows("train").tolist() == [0, 2]
    assert latents.valid_cells().tolist() == [7, 7, 7]
    with pytest.raises(ProjectError, match="latents: no sample in split 'validation'"):
        latents.rows("validation")


def test_latents_of_an_earlier_version_are_named(tmp_path: Path) -> None:
    dataset = LatentShardsDataset(filepath=str(tmp_path / "latents"))
    save_rows(dataset, rows(3))
    with pytest.raises(ProjectError, match="latents: made by an earlier version; run encode again"):
        dataset.load().valid_cells()
