"""Files and folders that appear complete or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from safetensors import SafetensorError

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.runtime.remote_folder import replace_remote
from albedo_pipeline.runtime.storage import is_remote, put


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

    If `folder` is in object storage, the empty folder is a temporary one on the disk.

    If `folder` is a link, the folder that it leads to is replaced. On any error the old folder
    stays as it was, and the new one is removed. The files get the mode of the umask, because some
    libraries write files that only their owner can read.

    Raises:
        ProjectError: if a file cannot be written, for example because the disk is full, or there is
            a file in the folder's place; names the folder.
    """
    if is_remote(folder):
        try:
            with TemporaryDirectory() as temporary:
                new = Path(temporary) / folder.name
                new.mkdir()
                yield new
                replace_remote(folder, new)
        except (OSError, SafetensorError) as error:
            raise ProjectError(f"{folder}: not written ({one_line(error)})") from error
        return
    folder = folder.resolve() if folder.is_symlink() else folder
    if folder.exists() and not folder.is_dir():
        raise ProjectError(f"{folder}: a file, expected a folder; move it away")
    partial = folder.with_name(f".{folder.name}.partial")
    previous = folder.with_name(f".{folder.name}.previous")
    recover_folder(folder)
    try:
        partial.mkdir(parents=True)
        yield partial
        mode = partial.stat().st_mode & 0o666
        for path in partial.rglob("*"):
            if path.is_file():
                path.chmod(mode)
            fsync(path)
        fsync(partial)
        if folder.exists():
            folder.rename(previous)
        partial.rename(folder)
        fsync(folder.parent)
    except (OSError, SafetensorError) as error:
        recover_folder(folder)
        raise ProjectError(f"{folder}: not written ({one_line(error)})") from error
    except BaseException:
        recover_folder(folder)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file that appears complete or not at all."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, on a disk or in object storage, that appears complete or not at all."""
    if is_remote(path):
        put(path, content)
        return
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        fsync(partial)
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    fsync(path.parent)
