"""Checkpoints: whole or passed over, one writer, and only those that are to stay."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from albedo_pipeline.artifacts.checkpoints import Checkpoints, CheckpointsDataset, damage
from albedo_pipeline.errors import ProjectError


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
@pytest.mark.parametrize("spoil", [truncate, flip_a_byte, Path.unlink])
def test_a_damaged_checkpoint_is_named_and_passed_over(
    store: Checkpoints, caplog: pytest.LogCaptureFixture, name: str, spoil
) -> None:
    spoil(store.path(3) / name)
    assert store.newest_undamaged() == store.path(2)
    (message,) = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert "step-00000003: damaged, passed over" in message
    assert name in message or name == "checksums.json"
    assert store.steps() == [1, 2]
    assert (store.folder / "step-00000003.damaged").is_dir()


def test_a_failed_write_leaves_nothing(store: Checkpoints) -> None:
    def broken(folder: Path) -> None:
        fill(folder)
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        store.write(4, broken)
    assert store.steps() == [1, 2, 3]
    assert not list(store.folder.glob(".step-*"))


def test_what_a_killed_process_left_is_mended(store: Checkpoints) -> None:
    store.path(3).rename(store.folder / ".step-00000003.previous")  # between two renames
    (store.folder / ".step-00000003.partial").mkdir()
    (store.folder / ".step-00000001.deleted").mkdir()
    with store.locked():
        assert store.steps() == [1, 2, 3]
        assert damage(store.path(3)) is None
        assert not list(store.folder.glob(".step-*"))


def test_only_one_process_holds_the_folder(store: Checkpoints) -> None:
    holder = (
        "import sys\nfrom pathlib import Path\n"
        "from albedo_pipeline.artifacts.checkpoints import Checkpoints\n"
        f"with Checkpoints(Path({str(store.folder)!r})).locked():\n"
        "    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "held\n"
        message = rf"checkpoints: another training writes here \(process {other.pid} on"
        with pytest.raises(ProjectError, match=message), store.locked():
            pass
    finally:
        other.kill()
        other.wait()
    with store.locked():
        pass


def test_the_others_are_deleted(store: Checkpoints) -> None:
    store.keep_only({1, 3})
    assert store.steps() == [1, 3]


def test_a_run_is_set_aside_whole(store: Checkpoints) -> None:
    with store.locked():
        aside = store.set_aside()
    assert store.steps() == []
    assert Checkpoints(aside).steps() == [1, 2, 3]
    assert aside.parent == store.folder.parent


def test_checksums_are_of_every_file(store: Checkpoints) -> None:
    sums = json.loads((store.path(1) / "checksums.json").read_text())
    assert set(sums) == {"weights.bin", "state.json"}
