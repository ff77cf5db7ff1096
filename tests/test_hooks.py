"""The hooks: what they do before a result is saved."""

import json
import os
from pathlib import Path

import pytest
from kedro.io import DataCatalog
from kedro_datasets.json import JSONDataset

from albedo_pipeline.hooks import UnlinkDvcCache
from albedo_pipeline.readers.filename_list import FilenameListDataset


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_result_that_is_a_link_into_the_cache_is_replaced(tmp_path: Path, link) -> None:
    cached, result = tmp_path / "cached", tmp_path / "result.json"
    cached.write_text('"old"', encoding="utf-8")
    link(cached, result)
    catalog = DataCatalog({"result": JSONDataset(filepath=str(result))})
    hook = UnlinkDvcCache()
    hook.before_pipeline_run(catalog)
    hook.before_dataset_saved("result")
    catalog.save("result", "new")
    assert json.loads(cached.read_text(encoding="utf-8")) == "old"
    assert json.loads(result.read_text(encoding="utf-8")) == "new"
    assert not result.is_symlink()


def test_a_result_that_is_no_link_stays_until_it_is_saved(tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    result.write_text('"old"', encoding="utf-8")
    hook = UnlinkDvcCache()
    hook.before_pipeline_run(DataCatalog({"result": JSONDataset(filepath=str(result))}))
    hook.before_dataset_saved("result")
    assert result.is_file()


def test_the_projects_own_datasets_replace_links_themselves(tmp_path: Path, fake_pair) -> None:
    """The old result stays until the new one is complete."""
    dataset = FilenameListDataset(filepath=str(tmp_path / "raw" / "pairs.txt"))
    dataset.save([fake_pair("scene/old")])
    os.link(tmp_path / "raw" / "pairs.txt", tmp_path / "cached")
    hook = UnlinkDvcCache()
    hook.before_pipeline_run(DataCatalog({"raw_pairs": dataset}))
    hook.before_dataset_saved("raw_pairs")
    assert dataset.exists()
    dataset.save([fake_pair("scene/new")])
    assert "old" in (tmp_path / "cached").read_text(encoding="utf-8")
