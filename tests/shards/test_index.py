"""The index of a folder of shards."""

import json
from pathlib import Path

import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.shards.index import Index, Rejected, has_index, publish, read_index, sweep

REJECTED = [Rejected("a/1", "a", "é: damaged"), Rejected("a/2", "a", "busy", retry=True)]


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(b"")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_is_published_is_read_back(tmp_path: Path) -> None:
    assert not has_index(tmp_path)
    index = Index(["shard-2.arrow", "shard-1.arrow"], REJECTED)
    publish(tmp_path, index)
    assert has_index(tmp_path)
    assert read_index(tmp_path) == index


def test_publishing_removes_files_that_are_not_named(tmp_path: Path) -> None:
    fill(tmp_path, "shard-1.arrow", "shard-2.arrow", ".shard-3.partial", "readme.txt")
    publish(tmp_path, Index(["shard-1.arrow"]))
    assert names(tmp_path) == {"shard-1.arrow", "index.json", "readme.txt"}


def test_without_a_shard_the_old_content_stays(tmp_path: Path) -> None:
    fill(tmp_path, "shard-1.arrow")
    publish(tmp_path, Index(["shard-1.arrow"]))
    with pytest.raises(ProjectError, match="no usable sample among 2; 1 x é: damaged"):
        publish(tmp_path, Index([], REJECTED))
    assert read_index(tmp_path) == Index(["shard-1.arrow"])
    assert names(tmp_path) == {"shard-1.arrow", "index.json"}


def test_sweeping_keeps_the_named_shards(tmp_path: Path) -> None:
    fill(tmp_path, "shard-1.arrow", "shard-2.arrow", ".index.json.partial")
    sweep(tmp_path, ["shard-2.arrow"])
    assert names(tmp_path) == {"shard-2.arrow"}


def test_a_missing_index_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="nowhere: no finished shards here"):
        read_index(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", json.dumps({"shards": [], "rejected": [{"name": "a"}]})]
)
def test_a_damaged_index_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "index.json").write_text(content, encoding="utf-8")
    with pytest.raises(ProjectError, match=r"index\.json: damaged"):
        read_index(tmp_path)
