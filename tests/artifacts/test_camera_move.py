"""The camera move's folders, on a disk and in object storage."""

from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.artifacts.camera_move import (
    NO_RESULT,
    CameraMoveDataset,
    MoveResult,
    MoveResultDataset,
    RenderedMove,
)

RESULT = MoveResult({"group": "scene", "frames": 2}, b"video", b"still")


@pytest.fixture(params=["disk", "object storage"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where a folder is saved; the working directory is empty, and must stay so."""
    monkeypatch.chdir(tmp_path_of(tmp_path, "here"))
    if request.param == "disk":
        return str(tmp_path / "folder")
    return f"{request.getfixturevalue('bucket')}/{tmp_path.name}"


def tmp_path_of(folder: Path, name: str) -> Path:
    """A new folder in a folder."""
    (folder / name).mkdir()
    return folder / name


def test_a_result_comes_back_and_a_missing_one_is_none(place: str) -> None:
    dataset = MoveResultDataset(filepath=place)
    assert dataset.load() is None
    dataset.save(RESULT)
    assert dataset.load() == RESULT
    dataset.save(NO_RESULT)
    assert dataset.load() is None
    assert list(Path().iterdir()) == []


def test_frames_come_back(place: str) -> None:
    beauty, valid = np.full((8, 8, 3), 0.5, np.float32), np.ones((8, 8), bool)
    dataset = CameraMoveDataset(filepath=place)
    dataset.save(RenderedMove("scene", 12.0, iter([(beauty, beauty / 2, valid)] * 2)))
    move = dataset.load()
    assert move is not None
    assert (move.group, move.frames_per_second) == ("scene", 12.0)
    assert [float(albedo.max()) for albedo in move.albedo] == [0.25, 0.25]
    assert len(list(move.beauty.glob("*.exr"))) == 2
    assert move.valid.all()
    assert list(Path().iterdir()) == []
