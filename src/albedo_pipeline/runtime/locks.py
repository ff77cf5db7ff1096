"""Locks: one process at a time writes to a folder."""

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from albedo_pipeline.errors import ProjectError

_HOLDER = re.compile(r"process (\d+) on (.+)")


@contextmanager
def locked(folder: Path, who: str) -> Iterator[None]:
    """Hold a folder for this process; the lock of a killed process is free.

    Args:
        folder: the folder that is locked; it is made if it is missing.
        who: what an error calls the other holder, such as "another training".

    Raises:
        ProjectError: if another process holds the folder; names that process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    holder, lock = _holder_file(folder), _lock(folder)
    try:
        lock.acquire()
    except Timeout as error:
        name = holder.read_text(encoding="utf-8") if holder.is_file() else "starting or ending"
        raise ProjectError(f"{folder}: {who} writes here ({name})") from error
    try:
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def holding_process(folder: Path) -> int | None:
    """Number of the process that holds a folder; None if there is none on this machine."""
    try:
        text = _holder_file(folder).read_text(encoding="utf-8")
    except OSError:
        return None
    found = _HOLDER.fullmatch(text)
    if not found or found[2] != socket.gethostname():
        return None
    lock = _lock(folder)
    try:
        lock.acquire()
    except Timeout:
        return int(found[1])
    lock.release()  # the file was left by a process that was killed
    return None


def _lock(folder: Path) -> FileLock:
    # Both files stand beside the folder, because the folder may be versioned.
    return FileLock(folder.with_name(f".{folder.name}.lock"), blocking=False)


def _holder_file(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock-holder")
