"""The shard build of `ingest`: order, quarantine, crops, cache key."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.io.write import write_exr
from albedo_pipeline.params import IngestParams
from albedo_pipeline.preprocessing.ingest import PairBuild, cache_key
from albedo_pipeline.readers.filename_list import FilenameListDataset
from albedo_pipeline.readers.hypersim import HypersimDataset
from albedo_pipeline.readers.pair_files import PairFiles
from albedo_pipeline.readers.raw_pairs import RawPairReference
from albedo_pipeline.shards.index import Rejected


def ingest(dataset: FilenameListDataset, **changes) -> list:
    """Rows and rejections of all samples."""
    params = IngestParams.model_validate({"resolution": 16, "max_quarantined_share": 0.9} | changes)
    build = PairBuild(dataset.load(), params)
    results = list(build.make([list(map(build.item, range(len(list(build.sources)))))]))
    build.check_rejected([result for result in results if isinstance(result, Rejected)])
    return [item for r in results for item in ([r] if isinstance(r, Rejected) else r)]


def test_rows_come_in_the_order_of_the_list(pair_list) -> None:
    dataset = pair_list(groups=5, views=3)
    expected = [reference.sample_id for reference in dataset.load()]
    for workers in (1, 4):
        assert [row["sample_id"] for row in ingest(dataset, workers=workers)] == expected


def test_bad_pairs_are_quarantined_with_the_reason(pair_list, tmp_path: Path) -> None:
    dataset = pair_list(groups=6, views=1)
    root = tmp_path / "raw"
    albedo = [root / f"scene-00{i}" / "view-0_albedo.exr" for i in range(6)]
    albedo[0].unlink()
    albedo[1].write_bytes(albedo[1].read_bytes()[:300])
    write_exr(albedo[2], np.full((8, 8, 3), 0.5, np.float32), {}, half=True)
    write_exr(albedo[3], np.full((32, 32, 3), np.nan, np.float32), {}, half=True)
    mask = root / "scene-004" / "view-0_mask.exr"
    write_exr(mask, np.zeros((32, 32, 1), np.float32), {}, half=True)
    rejected = [item for item in ingest(dataset) if isinstance(item, Rejected)]
    reasons = {item.sample_id: item.reason for item in rejected}
    assert len(reasons) == 5
    assert reasons["scene-000/view-0"].endswith("view-0_albedo.exr: no such file")
    assert "view-0_albedo.exr: " in reasons["scene-001/view-0"]
    assert reasons["scene-002/view-0"] == "albedo is 8 x 8 but beauty is 32 x 32"
    assert reasons["scene-003/view-0"] == "no pixel is finite and non-negative in both images"
    assert reasons["scene-004/view-0"] == "every pixel is masked"


def test_too_many_bad_samples_stop_the_run_with_the_reasons(pair_list, tmp_path: Path) -> None:
    dataset = pair_list(groups=4, views=1)
    for i in range(2):
        (tmp_path / "raw" / f"scene-00{i}" / "view-0_albedo.exr").unlink()
    message = r"2 of 4 samples .*max_quarantined_share = 0\.4 allows: 2 x no such file"
    with pytest.raises(ProjectError, match=message):
        ingest(dataset, max_quarantined_share=0.4)


def test_each_crop_is_a_sample_of_the_same_group(pair_list) -> None:
    rows = ingest(pair_list(groups=2, views=1), crop={"count": 3, "share": 0.5})
    assert [row["sample_id"] for row in rows] == [
        f"scene-00{i}/view-0{crop}" for i in range(2) for crop in ("", "@1", "@2")
    ]
    assert [row["group"] for row in rows] == ["scene-000"] * 3 + ["scene-001"] * 3


def test_the_cache_key_changes_with_the_settings_that_change_pixels() -> None:
    def key(**changes) -> str:
        return PairBuild([], IngestParams.model_validate({"resolution": 16} | changes)).cache_key

    same = ({}, {"workers": 3}, {"split": {"test": 0.3}}, {"max_quarantined_share": 0.5})
    assert len({key(**changes) for changes in same}) == 1
    others = ({}, {"resolution": 24}, {"crop": {"count": 2}}, {"exposure": {"policy": "none"}})
    masks = ({"max_albedo": 1}, {"black_albedo": 0}, {"black_albedo": 0, "bright_beauty": 0.2})
    others += tuple({"target_mask": mask} for mask in masks)
    assert len({key(**changes) for changes in others}) == 7


def load_nothing() -> None:
    """Stands for a reader of the user's, outside the package."""


def test_the_cache_key_holds_the_code_of_the_readers_that_are_used() -> None:
    def key(*loads: Callable) -> str:
        references = [RawPairReference(str(i), "g", str, load) for i, load in enumerate(loads)]
        return cache_key(IngestParams(resolution=16), references)

    assert key(PairFiles.load) == key()  # its module is behind every ingest
    assert key(load_nothing) == key(partial(load_nothing), load_nothing)
    keys = [key(), key(load_nothing), key(HypersimDataset.load)]
    assert len({*keys, key(load_nothing, HypersimDataset.load)}) == 4


def test_another_group_makes_the_sample_again(pair_list) -> None:
    references = pair_list(1).load()
    moved = [replace(reference, group="elsewhere") for reference in references]
    params = IngestParams(resolution=16)
    before, after = (list(PairBuild(each, params).sources) for each in (references, moved))
    assert before != after


def test_a_sample_with_the_name_of_a_crop_is_an_error(pair_list) -> None:
    (reference,) = pair_list(1, views=1).load()
    crop = replace(reference, sample_id=f"{reference.sample_id}@1")
    params = IngestParams.model_validate({"resolution": 16, "crop": {"count": 2}})
    with pytest.raises(ProjectError, match="the name that a crop of scene-000/view-0 would have"):
        PairBuild([reference, crop], params)


def test_a_name_that_is_not_utf_8_is_quarantined(pair_list) -> None:
    (reference,) = pair_list(1, views=1).load()
    odd = replace(reference, sample_id="caf\udce9", group="g")
    build = PairBuild([odd], IngestParams(resolution=16, max_quarantined_share=1))
    (rejected,) = build.make([[build.item(0)]])
    assert rejected.sample_id == "caf\\udce9"
    assert rejected.reason.endswith("the name is not UTF-8")
