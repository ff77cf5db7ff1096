"""Checksums of folders: damage is named, with the way to get the file again."""

from pathlib import Path

import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime import checksums
from albedo_pipeline.runtime.checksums import damage, verified, write_checksums
from tests.support.damage import flip_a_byte, truncate


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("README.md", "index.json", "unet/weights", "vae/weights"):
        path = tmp_path / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    write_checksums(tmp_path / "model")
    return tmp_path / "model"


def test_a_sound_folder_has_no_damage_and_may_have_another_readme(folder: Path) -> None:
    (folder / "README.md").write_text("edited")
    (folder / "more").write_text("new")
    assert damage(folder) is None


@pytest.mark.parametrize(
    ("do_damage", "reason"),
    [
        (flip_a_byte, "unet/weights: not what was written"),
        (truncate, "unet/weights: not what was written"),
        (Path.unlink, "unet/weights: missing"),
    ],
)
def test_damage_is_named_unless_it_is_in_another_subfolder(
    folder: Path, do_damage, reason: str
) -> None:
    do_damage(folder / "unet" / "weights")
    assert damage(folder) == reason
    assert damage(folder, within="unet") == reason
    assert damage(folder, within="vae") is None


def test_damaged_checksums_are_named(folder: Path) -> None:
    truncate(folder / "checksums.json")
    assert (damage(folder) or "").startswith("checksums.json: ")


def test_the_damage_is_told_instead_of_an_error_of_the_loading(folder: Path) -> None:
    flip_a_byte(folder / "index.json")
    with (
        pytest.raises(ProjectError, match=r"index.json: not what .*; run the pipeline train again"),
        verified(folder, "train"),
    ):
        raise ValueError("no JSON")


def test_other_errors_of_the_loading_stay(folder: Path) -> None:
    with pytest.raises(ValueError, match="no JSON"), verified(folder, "train"):
        raise ValueError("no JSON")


def test_a_folder_without_checksums_is_not_checked(folder: Path) -> None:
    (folder / "checksums.json").unlink()
    with verified(folder), verified(folder / "nowhere"):
        flip_a_byte(folder / "index.json")


@pytest.mark.parametrize(
    ("is_in_package", "remedy"),
    [(True, "install the package again"), (False, "get it again from where it came from, or ")],
)
def test_a_foreign_and_a_bundled_model_have_remedies_of_their_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch, is_in_package: bool, remedy: str
) -> None:
    flip_a_byte(folder / "index.json")
    if is_in_package:
        monkeypatch.setattr(checksums, "_PACKAGE", folder.parent)
    with pytest.raises(ProjectError, match=rf"\); {remedy}"), verified(folder):
        pass
