"""What a path leads to: a file that can be read, a folder, or something else."""

import errno
import os
import stat
from pathlib import Path

_OTHER_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
"""What a path leads to, by its type in `stat`, if it is no file."""


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; false, too, if a folder on the way may not be entered."""
    try:
        return path.is_dir()
    except OSError:
        return False


def check_plain_file(path: Path, missing: str = "no such file") -> None:
    """Check that a path leads to a regular file that may be read.

    Args:
        path: the path; links are followed.
        missing: the reason if there is nothing at the path.

    Raises:
        ValueError: if it does not; the message is the reason, without the path.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        if path.is_symlink():
            raise ValueError(f"a link to {path.readlink()}, which does not exist") from error
        raise ValueError(missing) from error
    except OSError as error:
        is_circle = error.errno == errno.ELOOP
        reason = "links that lead in a circle" if is_circle else error.strerror
        raise ValueError(reason or "cannot be read") from error
    if not os.access(path, os.R_OK):
        raise ValueError("Permission denied")
    if not stat.S_ISREG(mode):
        raise ValueError(f"{_OTHER_KINDS.get(stat.S_IFMT(mode), 'no file')}, expected a file")
