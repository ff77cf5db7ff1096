"""Checkpoints: folders of safetensors and JSON that are whole, or named and passed over."""

import hashlib
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.runtime.atomic_files import recover_folder, replaced_folder
from albedo_pipeline.runtime.locks import locked

logger = logging.getLogger(__name__)
_CHECKSUMS = "checksums.json"
_NAME = re.compile(r"step-(\d{8,})")


class Checkpoints:
    """A training's folder: `step-XXXXXXXX/`, each whole with its checksums, and what the runs
    recorded of themselves. One training at a time writes to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process, and mend what a killed one left in it.

        Raises:
            ProjectError: where another training holds it.
        """
        with locked(self.folder, "another training"):
            self._mend()
            yield

    def _mend(self) -> None:
        for leftover in list(self.folder.glob(".step-*")):
            name = leftover.name.removeprefix(".").rsplit(".", 1)[0]
            if leftover.suffix == ".deleted":
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                recover_folder(self.folder / name)

    def path(self, step: int) -> Path:
        """Folder of the checkpoint after `step` optimiser steps."""
        return self.folder / f"step-{step:08d}"

    def steps(self) -> list[int]:
        """Steps of all checkpoints, rising; whether they are whole is not looked at."""
        matches = (_NAME.fullmatch(path.name) for path in self.folder.glob("step-*"))
        return sorted(int(match[1]) for match in matches if match)

    def write(self, step: int, fill: Callable[[Path], None]) -> Path:
        """Have `fill` write files into a new folder; it becomes the checkpoint of `step`."""
        folder = self.path(step)
        with replaced_folder(folder) as partial:
            fill(partial)
            sums = _checksums(partial)
            (partial / _CHECKSUMS).write_text(json.dumps(sums, indent=2), encoding="utf-8")
        return folder

    def newest_undamaged(self) -> Path | None:
        """The newest checkpoint whose files agree with their checksums.

        Damaged ones on the way are named in the log, and renamed to `step-XXXXXXXX.damaged`.

        Raises:
            ProjectError: where there were some, and none is whole.
        """
        steps = self.steps()
        for step in reversed(steps):
            complaint = damage(self.path(step))
            if complaint is None:
                return self.path(step)
            logger.warning("%s: damaged, passed over (%s)", self.path(step), complaint)
            aside = self.path(step).with_suffix(".damaged")
            shutil.rmtree(aside, ignore_errors=True)
            self.path(step).rename(aside)
        if steps:
            raise ProjectError(
                f"{self.folder}: no whole checkpoint is left; run again to begin anew"
            )
        return None

    def keep_only(self, steps: Collection[int]) -> None:
        """Delete every other checkpoint."""
        for step in self.steps():
            if step not in steps:
                # Renamed first: what is half deleted must not be read.
                doomed = self.path(step).with_name(f".{self.path(step).name}.deleted")
                shutil.rmtree(doomed, ignore_errors=True)
                self.path(step).rename(doomed)
                shutil.rmtree(doomed, ignore_errors=True)

    def set_aside(self) -> Path:
        """Move everything to a new folder beside this one, and return that."""
        stamp = time.strftime("%Y%m%d-%H%M%S")
        aside = self.folder.with_name(f"{self.folder.name}-{stamp}-{os.getpid()}")
        self.folder.rename(aside)  # at once: half an old run must not be continued
        self.folder.mkdir()
        return aside


def damage(checkpoint: Path) -> str | None:
    """What is wrong with a checkpoint's files; None where it is whole."""
    try:
        expected = json.loads((checkpoint / _CHECKSUMS).read_text(encoding="utf-8"))
        missing = sorted(name for name in expected if not (checkpoint / name).is_file())
        if missing:
            return f"{', '.join(missing)}: missing"
        found = _checksums(checkpoint)
    except (FileNotFoundError, ValueError, AttributeError) as error:
        return f"{_CHECKSUMS}: {one_line(error)}"
    wrong = sorted(name for name in expected if found[name] != expected[name])
    return f"{', '.join(wrong)}: not what was written" if wrong else None


def read_json(checkpoint: Path, name: str) -> dict[str, Any]:
    """One of a whole checkpoint's JSON files."""
    return json.loads((checkpoint / name).read_text(encoding="utf-8"))


def _checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file but the checksums, each on a thread of its own."""
    paths = sorted(p for p in folder.iterdir() if p.name != _CHECKSUMS)
    with ThreadPoolExecutor() as pool:
        return dict(zip((p.name for p in paths), pool.map(_sha256, paths), strict=True))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class CheckpointsDataset(AbstractDataset[NoReturn, Checkpoints]):
    """The folder that a training writes its checkpoints to while it runs.

    Args:
        filepath: the folder.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> Checkpoints:
        """The folder; it need not exist."""
        return Checkpoints(self._folder)

    def save(self, data: NoReturn) -> None:
        """Checkpoints are written while the training goes on."""
        raise DatasetError("checkpoints are written by the training that loads their folder")

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder)}
