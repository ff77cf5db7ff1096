"""Checkpoints: complete or skipped, with one writer, and only those that are kept."""

import json
import logging
from pathlib import Path

import pytest
from kedro.io import DatasetError

from albedo_pipeline.artifacts.checkpoints import Checkpoints, CheckpointsDataset
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.checksums import damage


def fill(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(bytes(range(256)) * 40)
    (folder / "state.json").write_text("{}")


@pytest.fixture
def store(tmp_path: Path) -> Checkpoints:
    """Checkpoints of steps 1, 2 and 3."""
    store = CheckpointsDataset(filepath=str(tmp_path / "checkpoints")).load()
    for step in (1, 2, 3):
        store.write(step, fill)
    return store


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["weights.bin", "state.json", "checksums.json"])
@pytest.mark.parametrize("do_damage", [truncate, flip_a_byte, Path.unlink])
def test_a_damaged_checkpoint_is_named_and_skipped(
    store: Checkpoints, caplog: pytest.LogCaptureFixture, name: str, do_damage
) -> None:
    do_damage(store.path(3) / name)
    assert store.newest_undamaged("weights.bin") == store.path(2)
    (message,) = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert "step-00000003: damaged, skipped" in message
    assert name in message or name == "checksums.json"
    assert store.steps() == [1, 2]
    assert (store.folder / "step-00000003.damaged").is_dir()


def test_newer_checkpoints_are_moved_aside(store: Checkpoints) -> None:
    aside = store.move_newer_aside(1)
    assert aside is not None
    assert (store.steps(), Checkpoints(aside).steps()) == ([1], [2, 3])
    assert damage(aside / "step-00000003") is None
    assert store.move_newer_aside(1) is None


def test_a_failed_write_leaves_nothing(store: Checkpoints) -> None:
    def broken(folder: Path) -> None:
        fill(folder)
        raise OSError("no space left on device")

    message = r"step-00000004: not written \(no space left on device\)"
    with pytest.raises(ProjectError, match=message):
        store.write(4, broken)
    assert store.steps() == [1, 2, 3]
    assert not list(store.folder.glob(".step-*"))


def test_what_a_killed_process_left_is_cleaned_up(store: Checkpoints) -> None:
    store.path(3).rename(store.folder / ".step-00000003.previous")  # between two renames
    (store.folder / ".step-00000003.partial").mkdir()
    (store.folder / ".step-00000001.deleted").mkdir()
    with store.locked():
        assert store.steps() == [1, 2, 3]
        assert damage(store.path(3)) is None
        assert not list(store.folder.glob(".step-*"))


def test_one_training_at_a_time_holds_the_folder(store: Checkpoints) -> None:
    other = Checkpoints(store.folder)
    message = r"checkpoints: another training writes here \(process \d+ on"
    with store.locked(), pytest.raises(ProjectError, match=message), other.locked():
        pass
    with other.locked():
        pass


def test_if_all_checkpoints_are_damaged_the_next_run_starts_again(store: Checkpoints) -> None:
    for step in store.steps():
        truncate(store.path(step) / "weights.bin")
    with pytest.raises(ProjectError, match="checkpoints: all checkpoints are damaged; run again"):
        store.newest_undamaged("weights.bin")
    assert store.newest_undamaged("weights.bin") is None


def test_only_a_training_writes_checkpoints(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="are written by the training"):
        CheckpointsDataset(filepath=str(tmp_path)).save("weights")


def test_the_checkpoints_of_other_steps_are_deleted(store: Checkpoints) -> None:
    store.keep_only({1, 3})
    assert store.steps() == [1, 3]


def test_an_old_run_is_moved_aside_completely(store: Checkpoints) -> None:
    with store.locked():
        aside = store.move_aside()
    assert store.steps() == []
    assert Checkpoints(aside).steps() == [1, 2, 3]
    assert aside.parent == store.folder.parent


def test_every_file_has_a_checksum(store: Checkpoints) -> None:
    sums = json.loads((store.path(1) / "checksums.json").read_text())
    assert set(sums) == {"weights.bin", "state.json"}


def test_a_checkpoint_without_a_file_is_sound_but_not_resumed_from(store: Checkpoints) -> None:
    store.leave_out(3, "weights.bin")
    store.leave_out(3, "weights.bin")  # it is gone already
    assert damage(store.path(3)) is None
    assert sorted(path.name for path in store.path(3).iterdir()) == ["checksums.json", "state.json"]
    assert store.newest_undamaged("weights.bin") == store.path(2)
    assert store.newest_undamaged("state.json") == store.path(3)
