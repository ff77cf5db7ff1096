"""Locks: one process at a time writes to a folder."""

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.leases import leased
from albedo_pipeline.runtime.storage import is_remote

_HOLDER = re.compile(r"process (\d+) on (.+)")


class HeldError(ProjectError):
    """Another process holds the folder."""


@contextmanager
def locked(folder: Path, who: str) -> Iterator[Callable[[], None]]:
    """Hold a folder for this process; the lock of a killed process is free.

    In object storage the lock is a lease, which can be lost: see `runtime.leases`. So call what the
    context gives before the last write; it raises ProjectError if the folder is no longer held.

    Args:
        folder: the folder that is locked; it is made if it is missing.
        who: what an error calls the other holder, such as "another training".

    Raises:
        ProjectError: if another process holds the folder; names that process.
    """
    if is_remote(folder):
        with leased(folder, who) as lease:
            yield lease.check
        return
    folder.mkdir(parents=True, exist_ok=True)
    holder, lock = _holder_file(folder), _lock(folder)
    try:
        lock.acquire()
    except Timeout as error:
        name = holder.read_text(encoding="utf-8") if holder.is_file() else "starting or ending"
        raise HeldError(f"{folder}: {who} writes here ({name})") from error
    try:
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        yield _is_held
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _is_held() -> None:
    """A lock of the file system is held until it is released."""


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
