"""Files and folders that appear complete or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def fsync(path: Path) -> None:
    """Return when the content of a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def recover_folder(folder: Path) -> None:
    """Finish or undo a `replaced_folder` that was killed."""
    partial = folder.with_name(f".{folder.name}.partial")
    previous = folder.with_name(f".{folder.name}.previous")
    if not folder.exists() and previous.exists():  # killed between the two renames
        previous.rename(folder)
    for leftover in (partial, previous):
        shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder`, which replaces it on success.

    On any error the old folder stays as it was, and the new one is removed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.partial")
    previous = folder.with_name(f".{folder.name}.previous")
    recover_folder(folder)
    partial.mkdir()
    try:
        yield partial
        for path in partial.rglob("*"):
            fsync(path)
        fsync(partial)
        if folder.exists():
            folder.rename(previous)
        partial.rename(folder)
        fsync(folder.parent)
    except BaseException:
        recover_folder(folder)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file that appears complete or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        fsync(partial)
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    fsync(path.parent)
