"""Ingest: quarantine with reasons, order, split by group."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.io.write import write_exr
from albedo_pipeline.params import IngestParams
from albedo_pipeline.preprocessing.ingest import PairBuild, cache_key
from albedo_pipeline.preprocessing.manifest import SPLITS, manifest_of, quarantine_of, split_of
from albedo_pipeline.provenance import code as code_digest
from albedo_pipeline.readers.filename_list import FilenameListDataset
from albedo_pipeline.shards.datasets import PairShardsDataset
from albedo_pipeline.shards.index import Rejected


def ingest(dataset: FilenameListDataset, **changes) -> list:
    params = IngestParams.model_validate({"resolution": 16, "max_quarantined_share": 0.9} | changes)
    work = PairBuild(dataset.load(), params)
    results = work.make([list(range(len(work.sources)))], [])
    return [item for r in results for item in ([r] if isinstance(r, Rejected) else r)]


def reasons(items: list) -> dict[str, str]:
    return {i.sample_id: i.reason for i in items if isinstance(i, Rejected)}


def test_samples_come_in_the_order_of_the_list(pair_list) -> None:
    dataset = pair_list(groups=5, views=3)
    expected = [reference.sample_id for reference in dataset.load()]
    for workers in (1, 4):
        assert [row["sample_id"] for row in ingest(dataset, workers=workers)] == expected


def test_bad_pairs_are_set_aside_with_the_reason(pair_list, tmp_path: Path) -> None:
    dataset = pair_list(groups=6, views=1)
    root = tmp_path / "raw"
    albedo = [root / f"scene-00{i}" / "view-0_albedo.exr" for i in range(6)]
    albedo[0].unlink()
    albedo[1].write_bytes(albedo[1].read_bytes()[:300])
    write_exr(albedo[2], np.full((8, 8, 3), 0.5, np.float32), {}, half=True)
    write_exr(albedo[3], np.full((32, 32, 3), np.nan, np.float32), {}, half=True)
    mask = root / "scene-004" / "view-0_mask.exr"
    write_exr(mask, np.zeros((32, 32, 1), np.float32), {}, half=True)
    found = reasons(ingest(dataset))
    assert len(found) == 5
    assert found["scene-000/view-0"].endswith("view-0_albedo.exr: no such file")
    assert "view-0_albedo.exr: " in found["scene-001/view-0"]
    assert found["scene-002/view-0"] == "albedo is 8 x 8 but beauty is 32 x 32"
    assert found["scene-003/view-0"] == "no pixel is finite and non-negative in both images"
    assert found["scene-004/view-0"] == "every pixel is masked"


def test_too_many_bad_ones_stop_the_run_and_say_why(pair_list, tmp_path: Path) -> None:
    dataset = pair_list(groups=4, views=1)
    for i in range(2):
        (tmp_path / "raw" / f"scene-00{i}" / "view-0_albedo.exr").unlink()
    message = r"2 of 4 samples .*max_quarantined_share = 0\.4 allows: 2 x no such file"
    with pytest.raises(ProjectError, match=message):
        ingest(dataset, max_quarantined_share=0.4)


def test_tables(pair_list, tmp_path: Path) -> None:
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
    # a larger test share takes groups in, and lets none out
    larger = [split_of(group, 0.1, 0.3, "") for group in groups]
    assert all(b == "test" for a, b in zip(splits, larger, strict=True) if a == "test")


def test_a_split_without_a_group_is_named(pair_list, tmp_path: Path) -> None:
    params = IngestParams(resolution=16, split={"validation": 0, "test": 0.2})
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    dataset.save(PairBuild(pair_list(groups=1, views=3).load(), params))
    with pytest.raises(ProjectError, match=r"none of the 1 group\(s\) fell to (test|train)"):
        manifest_of(dataset.load(), params.split)


def test_each_crop_is_a_sample_of_the_same_group(pair_list) -> None:
    rows = ingest(pair_list(groups=2, views=1), crop={"count": 3, "share": 0.5})
    assert [row["sample_id"] for row in rows] == [
        f"scene-00{i}/view-0{crop}" for i in range(2) for crop in ("", "@1", "@2")
    ]
    assert [row["group"] for row in rows] == ["scene-000"] * 3 + ["scene-001"] * 3


def test_the_recipe_is_of_the_settings_that_change_pixels() -> None:
    def cache_key(**changes) -> str:
        return PairBuild([], IngestParams.model_validate({"resolution": 16} | changes)).cache_key

    same = ({}, {"workers": 3}, {"split": {"test": 0.3}}, {"max_quarantined_share": 0.5})
    assert len({cache_key(**changes) for changes in same}) == 1
    others = ({}, {"resolution": 24}, {"crop": {"count": 2}}, {"exposure": {"policy": "none"}})
    assert len({cache_key(**changes) for changes in others}) == 4


def test_a_moved_group_is_seen(pair_list) -> None:
    references = pair_list(1).load()
    moved = [replace(reference, group="elsewhere") for reference in references]
    params = IngestParams(resolution=16)
    before, after = (PairBuild(each, params).sources for each in (references, moved))
    assert before != after


def test_a_sample_named_as_a_crop_is_refused(pair_list) -> None:
    (reference,) = pair_list(1, views=1).load()
    crop = replace(reference, sample_id=f"{reference.sample_id}@1")
    params = IngestParams.model_validate({"resolution": 16, "crop": {"count": 2}})
    with pytest.raises(ProjectError, match="named as a crop of scene-000/view-0 would be"):
        PairBuild([reference, crop], params)


def test_a_name_that_cannot_be_written_is_set_aside(pair_list) -> None:
    (reference,) = pair_list(1, views=1).load()
    odd = replace(reference, sample_id="caf\udce9", group="g")
    work = PairBuild([odd], IngestParams(resolution=16))
    rejected = work.normalise(work._references[0])
    assert rejected.sample_id == "caf\\udce9"
    assert rejected.reason.endswith("the name is not UTF-8")
