"""Files and folders that appear whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def mend(folder: Path) -> None:
    """Finish or undo what a killed `replaced_folder` left beside `folder`."""
    partial = folder.with_name(f".{folder.name}.partial")
    previous = folder.with_name(f".{folder.name}.previous")
    if not folder.exists() and previous.exists():  # a swap was cut off between its two renames
        previous.rename(folder)
    for leftover in (partial, previous):
        shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder`; on success it takes the place of `folder`.

    On any error the old folder stays as it was, and the new one is removed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.partial")
    previous = folder.with_name(f".{folder.name}.previous")
    mend(folder)
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
        mend(folder)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file that appears whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        fsync(partial)
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    fsync(path.parent)
