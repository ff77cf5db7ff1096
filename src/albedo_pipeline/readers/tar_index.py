"""The members of an uncompressed tar: the position of their bytes, and which are refused."""

import posixpath
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from albedo_pipeline.errors import ProjectError, one_line

_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")
"""First bytes of gzip, bzip2, xz, zstandard and zip."""


class Member(NamedTuple):
    """Position of a file in the archive."""

    offset: int
    size: int
    modified: float


@dataclass(frozen=True)
class TarIndex:
    """What was found when the archive was listed."""

    members: dict[str, Member]
    """Plain files by their normalised names; of equal names the last."""
    refused: dict[str, str]
    """Other members' normalised names, and why they are never read."""
    state: tuple[int, int, int]
    """Size, time of change in nanoseconds and inode of the archive."""

    @cached_property
    def one_time(self) -> bool:
        """Whether all members have the same modification time."""
        return len({member.modified for member in self.members.values()}) == 1


def is_compressed(path: Path) -> bool:
    """Whether the file begins as compressed archives do."""
    with path.open("rb") as file:
        return file.read(8).startswith(_COMPRESSED)


def read_index(path: Path) -> TarIndex:
    """List an archive by its headers.

    Raises:
        ProjectError: if it is damaged or cut off; names it.
    """
    members: dict[str, Member] = {}
    refused: dict[str, str] = {}
    stat = path.stat()
    try:
        with tarfile.open(path, "r:") as archive:
            while info := archive.next():
                # A million of them would fill the memory.
                archive.members.clear()  # type: ignore[attr-defined]
                name = posixpath.normpath(info.name)
                reason = _refusal(info, name)
                members.pop(name, None)
                refused.pop(name, None)
                if reason:
                    refused[name] = reason
                elif info.isfile():
                    members[name] = Member(info.offset_data, info.size, info.mtime)
            end = archive.offset
    except (tarfile.TarError, OSError) as error:
        raise ProjectError(f"{path}: not a sound .tar ({one_line(error)})") from error
    _check_end(path, end)
    return TarIndex(members, refused, (stat.st_size, stat.st_mtime_ns, stat.st_ino))


def _refusal(info: tarfile.TarInfo, name: str) -> str | None:
    if posixpath.isabs(name) or name == ".." or name.startswith("../"):
        return "leaves the folder of the data"
    if info.issym() or info.islnk():
        return "is a link in the archive, expected a plain file"
    if info.issparse():
        return "is sparse in the archive, expected a plain file"
    if not (info.isfile() or info.isdir()):
        return "is a device in the archive, expected a plain file"
    return None


def _check_end(path: Path, end: int) -> None:
    """Raise if the archive does not end in zeros: tarfile stops silently at a damaged header."""
    with path.open("rb") as file:
        file.seek(end)
        block = file.read(512)
    if block.strip(b"\0"):
        raise ProjectError(f"{path}: not a sound .tar (damaged at byte {end})")
