"""Where a reader's files lie: a folder, or an uncompressed `.tar` that is never unpacked."""

import logging
import os
import posixpath
import unicodedata
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from typing import Protocol

from albedo_pipeline.errors import BadSampleError, ProjectError, TransientReadError
from albedo_pipeline.readers.tar_index import TarIndex, is_compressed, read_index
from albedo_pipeline.runtime.companions import EXAMPLES, is_companion, without_companions
from albedo_pipeline.runtime.plain_files import check_plain_file

logger = logging.getLogger(__name__)

_COPIED_AT_ONCE = 1 << 22
_FOLDERS = 4096
"""Number of folders whose real place is remembered."""


def nfc(name: str) -> str:
    """The name in Unicode's composed form, in which two spellings of one name are equal.

    macOS often stores `é` as `e` with an accent after it (NFD), other systems as one character.
    """
    return unicodedata.normalize("NFC", name)


class Root(Protocol):
    """Files by their names, relative and with `/`; nothing outside is ever read.

    A name that is not there finds the file whose name differs in its Unicode form only.
    """

    path: Path
    companions: int
    """Number of companion files and folders that `names` passed over; see `runtime.companions`."""

    def names(self) -> list[str]:
        """Every file that is no companion, sorted."""

    def signature(self, name: str) -> str:
        """Size and time of one file, or why it has none; never raises."""

    def opened(self, name: str) -> AbstractContextManager[Path]:
        """A path that can be read while the context lasts.

        Raises:
            BadSampleError: "name: reason", if the name leaves the root, is missing or no plain
                file, and at the end if the file was changed meanwhile.
        """


def open_root(path: Path) -> Root:
    """The root at a path; of a `.tar` the members are listed here.

    Raises:
        ProjectError: if there is neither a folder nor a sound, uncompressed `.tar`.
    """
    if path.is_dir():
        return FolderRoot(path)
    if not path.is_file():
        raise ProjectError(f"{path}: no such folder or .tar")
    if is_compressed(path):
        raise ProjectError(f"{path}: is compressed; decompress it to a plain .tar (or unpack it)")
    if path.suffix.lower() != ".tar":
        raise ProjectError(f"{path}: neither a folder nor a .tar")
    return TarRoot(path, read_index(path))


class FolderRoot:
    """A folder; links that lead out of it are refused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.companions = 0
        self._resolved = path.resolve()
        self._folders: dict[Path, Path] = {}
        self._spellings: dict[Path, dict[str, str]] = {}

    def names(self) -> list[str]:
        """Every file that is no companion; linked folders are not searched, and a warning counts
        them."""
        names, linked, companions = [], 0, 0
        for folder, folders, files in os.walk(self.path, onerror=_refuse_folder):
            companions += sum(map(is_companion, (*folders, *files)))
            # os.walk does not enter what is removed; a companion folder may be unreadable.
            folders[:] = [name for name in folders if not is_companion(name)]
            linked += sum(Path(folder, name).is_symlink() for name in folders)
            inside = Path(folder).relative_to(self.path)
            names += [(inside / name).as_posix() for name in files if not is_companion(name)]
        if linked:
            logger.warning("%s: %d folder(s) are links; not searched", self.path, linked)
        self.companions = _logged(self.path, companions)
        return sorted(names)

    def signature(self, name: str) -> str:
        """Size and time of change, or what keeps the file from being read: when that is mended,
        size and time may well be the same."""
        path = self._path_of(name)
        state = _state(path)
        if state is None:
            return "missing"
        if not self._linked(path).is_relative_to(self._resolved):
            return "outside"
        return f"{state[0]}:{state[1]}" if os.access(path, os.R_OK) else "unreadable"

    def _path_of(self, name: str) -> Path:
        """The path of a file, as the disk spells it; of a missing file, as it was named."""
        path = self.path / name
        if name.isascii() or os.path.lexists(path):
            return path
        parts = PurePosixPath(posixpath.normpath(name)).parts
        if ".." in parts:
            return path
        found = self.path
        for part in parts:
            found = found / self._spellings_in(found).get(nfc(part), part)
        return found

    def _spellings_in(self, folder: Path) -> dict[str, str]:
        """Names in a folder by their composed form; each folder is listed once."""
        if folder not in self._spellings:
            try:
                names = sorted((path.name for path in folder.iterdir()), reverse=True)
            except OSError:
                names = []
            self._spellings[folder] = {nfc(name): name for name in names}
        return self._spellings[folder]

    def _linked(self, path: Path) -> Path:
        """Where an existing file really lies; a folder's links are not followed for each file."""
        if path.parent not in self._folders:
            if len(self._folders) == _FOLDERS:
                self._folders.clear()
            self._folders[path.parent] = path.parent.resolve()
        real = self._folders[path.parent] / path.name
        return real.resolve() if real.is_symlink() else real

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        """The file itself."""
        check_name(name)
        found = self._path_of(name)
        path = Path(os.path.realpath(found))
        if not path.is_relative_to(self._resolved):
            raise BadSampleError(f"{name}: leaves the folder of the data")
        try:
            check_plain_file(found)
        except ValueError as error:
            raise BadSampleError(f"{name}: {error}") from error
        with _unchanged(name, path):
            yield path


class TarRoot:
    """An uncompressed `.tar`; one member at a time is copied to a temporary file."""

    def __init__(self, path: Path, index: TarIndex) -> None:
        self.path = path
        self.companions = 0
        self._index = index
        others = (name for name in (*index.refused, *index.members) if not name.isascii())
        self._spellings = {nfc(name): name for name in others}

    def names(self) -> list[str]:
        """Every plain file that is no companion, and whose name does not leave the archive."""
        names, companions = without_companions(self._index.members)
        self.companions = _logged(self.path, companions)
        return sorted(names)

    def signature(self, name: str) -> str:
        """Size and modification time in the member's header; also the state of the archive itself
        if all members have the same time, as in reproducible archives."""
        member_name = self._member_name(name)
        member = self._index.members.get(member_name)
        if member is None:
            return self._index.refused.get(member_name, "missing")
        state = f"{member.size}:{member.modified}"
        return f"{state}:{self._index.state}" if self._index.one_time else state

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        """A temporary file with the member's bytes and suffix."""
        import tempfile

        member_name = self._member_name(name)
        if member_name in self._index.refused:
            raise BadSampleError(f"{name}: {self._index.refused[member_name]}")
        check_name(name)
        if member_name not in self._index.members:
            raise BadSampleError(f"{name}: no such file")
        if _state(self.path) != self._index.state:
            raise TransientReadError(f"{name}: the archive was changed after it was listed")
        member = self._index.members[member_name]
        with tempfile.NamedTemporaryFile(suffix=PurePosixPath(name).suffix) as file:
            with _unchanged(name, self.path):
                _copy(self.path, member.offset, member.size, file.fileno())
            yield Path(file.name)

    def _member_name(self, name: str) -> str:
        """The name of a member, as the archive spells it; of a missing one, as it was named."""
        normal = posixpath.normpath(name)
        if normal in self._index.members or normal in self._index.refused:
            return normal
        return self._spellings.get(nfc(normal), normal)


def check_name(name: str) -> None:
    """Raise BadSampleError if a name is absolute, or leaves the root by `..`."""
    if "\0" in name:
        raise BadSampleError(f"{name!r}: not a file name")
    normal = posixpath.normpath(name)
    if posixpath.isabs(name) or normal == ".." or normal.startswith("../"):
        raise BadSampleError(f"{name}: leaves the folder of the data")


def _logged(path: Path, companions: int) -> int:
    if companions:
        logger.info("%s: passed over %d companion file(s) (%s)", path, companions, EXAMPLES)
    return companions


def _refuse_folder(error: OSError) -> None:
    raise ProjectError(f"{error.filename}: {error.strerror}") from error


@contextmanager
def _unchanged(name: str, path: Path) -> Iterator[None]:
    """Raise BadSampleError if the file is another, or changed, when the block ends."""
    before = _state(path)
    try:
        yield
    except ValueError as error:
        if _state(path) != before:
            raise TransientReadError(f"{name}: changed while it was read") from error
        raise
    if _state(path) != before:
        raise TransientReadError(f"{name}: changed while it was read")


def _state(path: Path) -> tuple[int, int, int] | None:
    """Size, modification time in nanoseconds and inode; None if there is no file."""
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def _copy(path: Path, offset: int, size: int, target: int) -> None:
    """Copy a range of bytes; any number of threads may do so at once."""
    source = os.open(path, os.O_RDONLY)
    try:
        end = offset + size
        while offset < end:
            block = os.pread(source, min(_COPIED_AT_ONCE, end - offset), offset)
            if not block:
                raise ValueError("the archive ends too early")
            offset += len(block)
            while block:
                block = block[os.write(target, block) :]
    finally:
        os.close(source)
