"""Checkpoints: folders of safetensors and JSON with checksums; damaged ones are skipped."""

import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.atomic_files import recover_folder, replaced_folder
from albedo_pipeline.runtime.checksums import CHECKSUMS, damage, write_checksums
from albedo_pipeline.runtime.locks import locked
from albedo_pipeline.runtime.remote_folder import (
    beside,
    fetch,
    forget_synced,
    remote_of,
    send,
    sent_at_end,
    working_copy,
)
from albedo_pipeline.runtime.storage import location

logger = logging.getLogger(__name__)
CONFIGURATION = "config.json"
"""File of a checkpoint with the resolved settings."""
WEIGHTS_FILE, AVERAGES_FILE = "weights.safetensors", "ema.safetensors"
"""Files of a checkpoint with the trained weights, and with their moving average."""
AUTOENCODER = "autoencoder."
"""Prefix of the autoencoder's parameters in these files; the UNet's have none."""
_NAME = re.compile(r"step-(\d{8,})")


class Checkpoints:
    """The folder of a training: checkpoints `step-XXXXXXXX/`, and the records of its runs.

    One training at a time writes to it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._check_held: Callable[[], None] | None = None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process, and clean up what a killed one left in it.

        Raises:
            ProjectError: if another training holds it.
        """
        remote = remote_of(self.folder)
        with ExitStack() as held:
            held.enter_context(locked(self.folder, "another training"))
            if remote != self.folder:
                self._check_held = held.enter_context(locked(remote, "another training"))
            fetch(self.folder)
            self._recover()
            with sent_at_end(self.send):
                yield

    def send(self) -> None:
        """Copy what changed to object storage, if the folder is the working copy of one there.

        Raises:
            ProjectError: if the store does not take it, or another training may write there now.
        """
        if self._check_held is not None:
            self._check_held()
            send(self.folder)

    def _recover(self) -> None:
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
        """Steps of all checkpoints, ascending, damaged ones included."""
        matches = (_NAME.fullmatch(path.name) for path in self.folder.glob("step-*"))
        return sorted(int(match[1]) for match in matches if match)

    def write(self, step: int, fill: Callable[[Path], None]) -> Path:
        """Write the checkpoint of `step`.

        Args:
            step: number of optimiser steps.
            fill: writes the checkpoint's files into the empty folder that it is given.

        Returns:
            The folder of the checkpoint, which appears complete or not at all.
        """
        folder = self.path(step)
        with replaced_folder(folder) as partial:
            fill(partial)
            write_checksums(partial)
        return folder

    def newest_undamaged(self, needed: str) -> Path | None:
        """The newest checkpoint whose files agree with their checksums; None if there is none.

        Newer, damaged ones are named in the log and renamed to `step-XXXXXXXX.damaged`.

        Args:
            needed: file without which a checkpoint does not count; see `leave_out`.

        Raises:
            ProjectError: if there are checkpoints, and all of them are damaged.
        """
        steps = [step for step in self.steps() if not self._lacks(step, needed)]
        for step in reversed(steps):
            reason = damage(self.path(step))
            if reason is None:
                return self.path(step)
            logger.warning("%s: damaged, skipped (%s)", self.path(step), reason)
            renamed = self.path(step).with_suffix(".damaged")
            shutil.rmtree(renamed, ignore_errors=True)
            self.path(step).rename(renamed)
        if steps:
            raise ProjectError(
                f"{self.folder}: all checkpoints are damaged; run again to start from step 0"
            )
        return None

    def leave_out(self, step: int, name: str) -> None:
        """Remove a file of a checkpoint, which stays complete in all else."""
        folder = self.path(step)
        if not (folder / name).exists():
            return
        with replaced_folder(folder) as partial:
            for path in folder.iterdir():
                if path.name not in (name, CHECKSUMS):
                    shutil.copyfile(path, partial / path.name)
            write_checksums(partial)

    def _lacks(self, step: int, name: str) -> bool:
        """Whether a file of a checkpoint was left out: its checksums do not name it."""
        folder = self.path(step)
        return not (folder / name).exists() and damage(folder) is None

    def keep_only(self, steps: Collection[int]) -> None:
        """Delete the checkpoints of all other steps."""
        for step in self.steps():
            if step not in steps:
                # Renamed first, so that a half-deleted checkpoint is never read.
                deleted = self.path(step).with_name(f".{self.path(step).name}.deleted")
                shutil.rmtree(deleted, ignore_errors=True)
                self.path(step).rename(deleted)
                shutil.rmtree(deleted, ignore_errors=True)

    def move_aside(self) -> Path:
        """Move everything to a new folder beside this one, and return the new folder."""
        aside = self._new_folder_beside()
        self.folder.rename(aside)  # one step, so that no half of an old run can be resumed
        self.folder.mkdir()
        self._send_aside(aside)
        return aside

    def move_newer_aside(self, step: int) -> Path | None:
        """Move the checkpoints after `step` to a new folder beside this one.

        Returns:
            The new folder; None if there is no newer checkpoint.
        """
        newer = [later for later in self.steps() if later > step]
        if not newer:
            return None
        self.send()
        forget_synced(self.folder)
        aside = self._new_folder_beside()
        aside.mkdir()
        for later in reversed(newer):  # newest first: what a killed run leaves can be moved again
            self.path(later).rename(aside / self.path(later).name)
        self._send_aside(aside)
        return aside

    def _send_aside(self, aside: Path) -> None:
        beside(self.folder, aside)
        send(aside)
        self.send()

    def _new_folder_beside(self) -> Path:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        return self.folder.with_name(f"{self.folder.name}-{stamp}-{os.getpid()}")


def read_json(checkpoint: Path, name: str) -> dict[str, Any]:
    """Content of one of an undamaged checkpoint's JSON files."""
    return json.loads((checkpoint / name).read_text(encoding="utf-8"))


class CheckpointsDataset(AbstractDataset[NoReturn, Checkpoints]):
    """Loads the folder that a training writes its checkpoints to while it runs.

    Args:
        filepath: the folder, or its URL.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._folder = location(filepath)
        self.metadata = metadata

    def load(self) -> Checkpoints:
        """Return the folder, or its working copy on the disk; it need not exist."""
        return Checkpoints(working_copy(self._folder))

    def save(self, data: NoReturn) -> None:
        """Refuse: the training writes the checkpoints itself.

        Raises:
            DatasetError: always.
        """
        raise DatasetError("checkpoints are written by the training that loads their folder")

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder)}
