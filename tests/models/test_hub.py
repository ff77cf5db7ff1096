"""A model on the Hub as a folder: here from the Hub's cache, without a network."""

from pathlib import Path

import huggingface_hub.constants
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.albedo_model import BUNDLED_ESTIMATOR
from albedo_pipeline.models.hub import model_on_disk

COMMITS = ("a" * 40, "b" * 40)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with two commits of `owner/name`, of which the second is the newest."""
    repository = tmp_path / "hub" / "models--owner--name"
    for commit in COMMITS:
        folder = repository / "snapshots" / commit
        folder.mkdir(parents=True)
        (folder / "model_index.json").write_text(commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMITS[1])
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    return repository / "snapshots"


def test_a_hub_id_is_the_folder_of_its_commit(cache: Path) -> None:
    assert model_on_disk("owner/name") == cache / COMMITS[1]
    assert model_on_disk("owner/name", COMMITS[0]) == cache / COMMITS[0]


def test_a_folder_is_itself(tmp_path: Path) -> None:
    (tmp_path / "owner" / "name").mkdir(parents=True)
    assert model_on_disk("owner/name") == Path("owner/name")
    assert model_on_disk("nowhere") == Path("nowhere")
    assert model_on_disk("bundled") == BUNDLED_ESTIMATOR


def test_neither_a_folder_nor_on_the_hub() -> None:
    with pytest.raises(ProjectError, match="other/name: no such folder, and not to be had from"):
        model_on_disk("other/name")
