"""Folders of files in object storage, and their copies on the disk."""

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime import remote_folder
from albedo_pipeline.runtime.atomic_files import replaced_folder
from albedo_pipeline.runtime.locks import locked
from albedo_pipeline.runtime.remote_folder import (
    beside,
    fetch,
    forget_synced,
    has_file,
    local_copy,
    send,
    working_copy,
)
from albedo_pipeline.runtime.storage import files_in, location, put


def content(folder: Path) -> dict[str, str]:
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != ".synced"]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


def refuse(*given: object) -> None:
    raise OSError("SlowDown")


def write(folder: Path, files: dict[str, str]) -> None:
    with replaced_folder(folder) as new:
        for name, text in files.items():
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_text(text)


def test_a_folder_is_replaced_and_read_through_a_copy(folder_url: str, cache_folder: Path) -> None:
    folder = location(folder_url) / "model"
    assert local_copy(folder) == folder  # there is nothing yet
    for files in ({"config.json": "1", "unet/weights": "w"}, {"config.json": "2", "new": "w"}):
        write(folder, files)
        copy = local_copy(folder)
        assert content(copy) == files
        assert copy.is_relative_to(cache_folder)
        assert has_file(folder, "config.json")
        assert not has_file(folder, "weights")
    assert len(files_in(folder / "objects")) == 2  # those of the old content are gone
    assert len(list(copy.parent.parent.iterdir())) == 1


def test_a_copy_is_made_once(folder_url: str, cache_folder: Path, s3_server) -> None:
    folder = location(folder_url)
    write(folder, {"a": "1", "b": "2"})
    local_copy(folder)
    before = s3_server.requests
    local_copy(folder)
    assert s3_server.requests == before + 1  # the manifest


def test_an_error_leaves_the_old_content(folder_url: str, cache_folder: Path) -> None:
    folder = location(folder_url)
    write(folder, {"a": "old"})
    with suppress(RuntimeError), replaced_folder(folder) as new:
        (new / "a").write_text("new")
        raise RuntimeError
    assert content(local_copy(folder)) == {"a": "old"}


def test_a_full_temporary_disk_is_named(folder_url: str, cache_folder: Path) -> None:
    folder = location(folder_url)
    write(folder, {"a": "old"})
    with (
        pytest.raises(ProjectError, match=rf"^{folder_url}: not written \(.*No space left"),
        replaced_folder(folder),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert content(local_copy(folder)) == {"a": "old"}


def test_another_content_of_an_object_is_named(folder_url: str, cache_folder: Path) -> None:
    folder = location(folder_url)
    write(folder, {"a": "old"})
    put(files_in(folder / "objects")[0], b"other")
    with pytest.raises(ProjectError, match=rf"{folder_url}: damaged \(a: not what was written\)"):
        local_copy(folder)


def test_a_working_copy_is_sent_and_fetched(
    folder_url: str, cache_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = location(folder_url) / "work"
    here = working_copy(folder)
    (here / "step").mkdir(parents=True)
    (here / "step" / "a").write_text("1")
    (here / ".hidden").write_text("not sent")
    send(here)
    (here / "step" / "a").unlink()
    (here / "b").write_text("2")
    send(here)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another-machine"))
    there = working_copy(folder)
    assert content(there) == {"b": "2"}
    (there / "b").write_text("22")
    send(there)
    (here / "lost").write_text("was not sent")
    fetch(here)
    assert content(here) == {"b": "22", ".hidden": "not sent"}

    aside = there.with_name("aside")
    there.rename(aside)
    beside(there, aside)
    send(aside)
    assert content(local_copy(folder.with_name("aside"))) == {"b": "22"}


def test_a_working_copy_that_is_held_is_left_alone(folder_url: str, cache_folder: Path) -> None:
    folder = location(folder_url) / "work"
    write(folder, {"a": "1"})
    copy = working_copy(folder)
    with locked(copy, "a training"):
        (copy / "a").write_text("newer")
        write(folder, {"a": "2"})
        assert content(working_copy(folder)) == {"a": "newer"}
    assert content(working_copy(folder)) == {"a": "2"}


def test_what_could_not_be_sent_is_kept(
    folder_url: str, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = location(folder_url) / "work"
    copy = working_copy(folder)  # there is nothing yet
    (copy / "step-1").mkdir()
    (copy / "step-1" / "a").write_text("1")
    assert content(working_copy(folder)) == {"step-1/a": "1"}  # killed before it was sent
    send(copy)
    (copy / "step-2").mkdir()
    (copy / "step-2" / "a").write_text("2")
    (copy / "step-1" / "a").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(remote_folder, "_send_file", refuse)
        with pytest.raises(ProjectError, match=f"{folder_url}/work: not written"):
            send(copy)
    assert content(working_copy(folder)) == {"step-2/a": "2"}
    send(copy)
    assert content(local_copy(folder)) == {"step-2/a": "2"}


def test_half_written_files_of_a_killed_process_are_removed(
    folder_url: str, cache_folder: Path
) -> None:
    folder = location(folder_url) / "work"
    write(folder, {"step/a": "1"})
    copy = working_copy(folder)
    (copy / "step" / ".a.0123.partial").write_text("half")
    assert content(working_copy(folder)) == {"step/a": "1"}


def test_what_was_sent_and_not_answered_is_known(
    folder_url: str, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = location(folder_url) / "work"
    copy = working_copy(folder)
    (copy / "a").write_text("1")
    with monkeypatch.context() as patch:
        patch.setattr(remote_folder, "put", lambda *given: (put(*given), refuse()))
        with pytest.raises(ProjectError, match="not written"):
            send(copy)
    (copy / "a").write_text("newer")
    assert content(working_copy(folder)) == {"a": "newer"}


def test_a_copy_that_was_deleted_or_interrupted_is_fetched_again(
    folder_url: str, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = location(folder_url) / "work"
    write(folder, {"a": "1"})
    copy = working_copy(folder)
    shutil.rmtree(copy)
    assert content(working_copy(folder)) == {"a": "1"}
    write(folder, {"b": "2"})
    with monkeypatch.context() as patch:
        patch.setattr(remote_folder, "download", refuse)
        with pytest.raises(ProjectError, match="not read"):
            working_copy(folder)
    write(folder, {"a": "1", "c": "3"})
    assert content(working_copy(folder)) == {"a": "1", "c": "3"}
    (copy / "a").unlink()  # moved elsewhere by a run that is then killed
    forget_synced(copy)
    assert content(working_copy(folder)) == {"a": "1", "c": "3"}


def test_a_folder_on_the_disk_is_itself(tmp_path: Path) -> None:
    assert local_copy(tmp_path) == working_copy(tmp_path) == tmp_path
    (tmp_path / "a").write_text("1")
    send(tmp_path)
    fetch(tmp_path)
    assert content(tmp_path) == {"a": "1"}
    assert has_file(tmp_path, "a")


def test_a_file_that_grows_while_it_is_sent_is_stored_whole(
    folder_url: str, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `log.txt` of a training does, which checkpoints are sent beside."""
    folder, hashed = location(folder_url), remote_folder._hashed
    copy = working_copy(folder)
    log = copy / "log.txt"
    log.write_text("one line\n")

    def grown(copy: Path) -> dict[str, str]:
        files = hashed(copy)
        with log.open("a") as file:
            file.write("another\n")
        return files

    monkeypatch.setattr(remote_folder, "_hashed", grown)
    send(copy)
    monkeypatch.undo()
    shutil.rmtree(copy)
    fetch(copy)
    assert log.read_text() == "one line\nanother\n"
