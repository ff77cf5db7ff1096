"""The demo's camera move: rendered frames with their truth, and what was measured of its albedo."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from kedro.io import AbstractDataset

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.imaging.declarations import ReadOptions
from albedo_pipeline.imaging.io.read import read_colour
from albedo_pipeline.imaging.io.write import write_exr
from albedo_pipeline.imaging.pixels import as_float32
from albedo_pipeline.runtime.atomic_files import replaced_folder
from albedo_pipeline.runtime.remote_folder import local_copy
from albedo_pipeline.runtime.storage import location, make_folder

_FACTS = "move.json"
_VALID = "valid.npy"
_VIDEO = "move.webp"
_STILL = "first_frame.webp"

Saved = TypeVar("Saved")
Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class RenderedMove:
    """Frames that were rendered, as they are saved."""

    group: str
    """The scene; empty if there is no move."""
    frames_per_second: float
    frames: Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]
    """Beauty and albedo, linear Rec.709, float32 [H, W, 3], and valid mask, bool [H, W]."""


@dataclass(frozen=True)
class CameraMove:
    """Frames that were rendered, as they are loaded."""

    group: str
    frames_per_second: float
    beauty: Path
    """Folder of numbered EXR files, linear Rec.709."""
    albedo: list[np.ndarray]
    """True albedo of each frame, linear Rec.709, float32 [H, W, 3]."""
    valid: np.ndarray
    """bool [frames, H, W]."""


class _MoveFolder(AbstractDataset[Saved, Loaded]):
    """A folder that is read as a copy on the disk, and replaced in one step by a save.

    Args:
        filepath: the folder, or its URL in object storage.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._folder = location(filepath)
        self.metadata = metadata

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder)}


class CameraMoveDataset(_MoveFolder[RenderedMove, CameraMove | None]):
    """A folder with `beauty` and `albedo`, numbered EXR files, `valid.npy` and `move.json`.

    Without a move it holds `move.json` only.
    """

    def load(self) -> CameraMove | None:
        """Read the truth; None if there is no move.

        Raises:
            ProjectError: if a file is missing or damaged.
        """
        copy = local_copy(self._folder)
        try:
            facts = _read_facts(copy)
            if not facts:
                return None
            options = ReadOptions("linear", "ignore")
            files = sorted(copy.glob("albedo/*.exr"))
            albedo = [as_float32(read_colour(f, 2**40, options=options).pixels) for f in files]
            valid = np.load(copy / _VALID, allow_pickle=False)
            if not len(albedo) == len(valid) == facts["frames"]:
                raise ValueError(f"{len(albedo)} frames, expected {facts['frames']}")
        except (OSError, ValueError, KeyError) as error:
            raise _damaged(self._folder, error) from error
        speed = facts["frames_per_second"]
        return CameraMove(facts["group"], speed, copy / "beauty", albedo, valid)

    def save(self, data: RenderedMove) -> None:
        """Write the frames while they are rendered."""
        make_folder(self._folder.parent)
        with replaced_folder(self._folder) as folder:
            facts: dict[str, object] = {}
            if data.group:
                valid = list(_written(folder, data))
                np.save(folder / _VALID, np.stack(valid))
                facts = {"group": data.group, "frames": len(valid)}
                facts |= {"frames_per_second": data.frames_per_second}
            (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")


@dataclass(frozen=True)
class MoveResult:
    """What was predicted and measured of a camera move."""

    facts: dict
    """Scene, frames, scores, and digests of the models; empty if there is no move."""
    video: bytes
    """Animated WebP of beauty, prediction and truth side by side."""
    still: bytes
    """WebP of the first frame."""


class MoveResultDataset(_MoveFolder[MoveResult, MoveResult | None]):
    """A folder with `move.json`, `move.webp` and `first_frame.webp`.

    Without a move it holds `move.json` only.
    """

    def load(self) -> MoveResult | None:
        """Read the result; None if there is none.

        Raises:
            ProjectError: if a file is missing or damaged.
        """
        copy = local_copy(self._folder)
        if not copy.is_dir():
            return None
        try:
            facts = _read_facts(copy)
            if not facts:
                return None
            video, still = ((copy / name).read_bytes() for name in (_VIDEO, _STILL))
        except (OSError, ValueError) as error:
            raise _damaged(self._folder, error) from error
        return MoveResult(facts, video, still)

    def save(self, data: MoveResult) -> None:
        """Write all files."""
        make_folder(self._folder.parent)
        with replaced_folder(self._folder) as folder:
            (folder / _FACTS).write_text(json.dumps(data.facts, indent=2), encoding="utf-8")
            if data.facts:
                (folder / _VIDEO).write_bytes(data.video)
                (folder / _STILL).write_bytes(data.still)


def _written(folder: Path, move: RenderedMove) -> Iterator[np.ndarray]:
    for kind in ("beauty", "albedo"):
        (folder / kind).mkdir()
    for number, (beauty, albedo, valid) in enumerate(move.frames):
        name = f"frame.{number + 1:04d}.exr"
        write_exr(folder / "beauty" / name, beauty, {}, half=True)
        write_exr(folder / "albedo" / name, np.clip(albedo, 0, 1), {}, half=True)
        yield valid


def _read_facts(folder: Path) -> dict:
    return json.loads((folder / _FACTS).read_text(encoding="utf-8"))


def _damaged(folder: Path, error: Exception) -> ProjectError:
    return ProjectError(f"{folder}: damaged ({one_line(error)}); run the pipeline sequence again")


NO_RESULT = MoveResult({}, b"", b"")
"""What is saved if there is no move; Kedro saves no None."""
