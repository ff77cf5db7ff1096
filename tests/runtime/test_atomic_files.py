"""Files and folders that appear complete or not at all."""

from pathlib import Path

import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime import atomic_files
from albedo_pipeline.runtime.atomic_files import recover_folder, replaced_folder, write_text


def content(folder: Path) -> dict[str, str]:
    """Text of every file below a folder, by its path."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


def test_a_new_folder_replaces_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "model"
    for text in ("old", "new"):
        with replaced_folder(folder) as partial:
            (partial / text).write_text(text)
            (partial / "inner").mkdir()
            (partial / "inner" / "file").write_text(text)
    assert content(tmp_path) == {"deep/model/new": "new", "deep/model/inner/file": "new"}
    assert list(folder.parent.iterdir()) == [folder]


def test_the_folder_that_a_link_leads_to_is_replaced(tmp_path: Path) -> None:
    link, target = tmp_path / "here" / "model", tmp_path / "there" / "weights"
    link.parent.mkdir()
    link.symlink_to(target)
    for text in ("old", "new"):
        with replaced_folder(link) as partial:
            (partial / text).write_text(text)
    assert link.readlink() == target
    assert content(tmp_path / "there") == {"weights/new": "new"}
    assert list(link.parent.iterdir()) == [link]
    assert list(target.parent.iterdir()) == [target]


def test_a_file_in_the_folders_place_is_named_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "model"
    file.write_text("mine")
    with (
        pytest.raises(ProjectError, match=f"^{file}: a file, expected a folder; move it away$"),
        replaced_folder(file),
    ):
        pass
    assert content(tmp_path) == {"model": "mine"}


def test_a_failure_leaves_the_old_folder(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    with replaced_folder(folder) as partial:
        (partial / "old").write_text("old")
    with pytest.raises(TypeError), replaced_folder(folder) as partial:
        (partial / "new").write_text(b"no text")
    assert content(tmp_path) == {"model/old": "old"}
    assert list(tmp_path.iterdir()) == [folder]


def test_a_failed_rename_puts_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old").write_text("old")
    rename = Path.rename

    def fail_for_partial(path: Path, target: Path) -> Path:
        if path.name.endswith(".partial"):
            raise OSError("disk")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_for_partial)
    with pytest.raises(ProjectError, match=r"model: not written \(disk\)"), replaced_folder(folder):
        pass
    assert content(tmp_path) == {"model/old": "old"}


@pytest.mark.parametrize(
    ("left", "kept"),
    [
        ({"model": "old", ".model.partial": "new"}, "old"),  # killed while it was written
        ({".model.previous": "old", ".model.partial": "new"}, "old"),  # between the renames
        ({"model": "new", ".model.previous": "old"}, "new"),  # before the old one was removed
    ],
)
def test_what_a_killed_process_left_is_finished_or_undone(
    tmp_path: Path, left: dict[str, str], kept: str
) -> None:
    for name, text in left.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(text)
    recover_folder(tmp_path / "model")
    assert content(tmp_path) == {"model/file": kept}


def test_a_text_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    for text in ("old", "né"):
        write_text(path, text)
    assert path.read_bytes() == "né".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_a_text_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "index.json"
    write_text(path, "old")

    def full(_: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(atomic_files, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        write_text(path, "new")
    assert content(tmp_path) == {"index.json": "old"}
