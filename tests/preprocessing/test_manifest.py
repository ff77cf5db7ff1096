"""The manifest: one row per sample, split by group alone."""

from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params import IngestParams
from albedo_pipeline.preprocessing.ingest import PairBuild
from albedo_pipeline.preprocessing.manifest import manifest_of, quarantine_of, split_of
from albedo_pipeline.readers.raw_pairs import SPLITS
from albedo_pipeline.shards.datasets import PairShardsDataset


def test_the_tables_have_one_row_a_sample_and_one_split_a_group(pair_list, tmp_path: Path) -> None:
    params = IngestParams(resolution=16, split={"validation": 0.3, "test": 0.3})
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"), samples_per_shard=4)
    dataset.save(PairBuild(pair_list(groups=8, views=2).load(), params))
    pairs = dataset.load()
    manifest = manifest_of(pairs, params.split)
    assert manifest["row"].tolist() == list(range(16))
    assert manifest.groupby("group")["split"].nunique().max() == 1
    assert quarantine_of(pairs).columns.tolist() == ["sample_id", "group", "reason"]


def test_the_split_is_a_function_of_the_group_alone() -> None:
    groups = [f"scene-{i}" for i in range(4000)]
    splits = [split_of(group, 0.1, 0.2, "") for group in groups]
    shares = [splits.count(name) / len(splits) for name in SPLITS]
    np.testing.assert_allclose(shares, [0.7, 0.1, 0.2], atol=0.02)
    assert [split_of(g, 0.1, 0.2, "other") for g in groups] != splits
    # A larger test share adds groups and removes none.
    larger = [split_of(group, 0.1, 0.3, "") for group in groups]
    assert all(b == "test" for a, b in zip(splits, larger, strict=True) if a == "test")


def test_a_split_without_a_group_is_an_error(pair_list, tmp_path: Path) -> None:
    params = IngestParams(resolution=16, split={"validation": 0, "test": 0.2})
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    dataset.save(PairBuild(pair_list(groups=1, views=3).load(), params))
    with pytest.raises(ProjectError, match=r"none of the 1 group\(s\) fell to (test|train)"):
        manifest_of(dataset.load(), params.split)
