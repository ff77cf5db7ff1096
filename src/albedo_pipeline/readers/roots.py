"""Where a reader's files lie: a folder, also in object storage, or an uncompressed `.tar`."""

import logging
import os
import posixpath
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from typing import Protocol

from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.readers.remote_root import RemoteRoot, list_folder
from albedo_pipeline.readers.root_names import check_name, log_companions, nfc
from albedo_pipeline.readers.tar_index import read_index, read_remote_index
from albedo_pipeline.readers.tar_root import RemoteTarRoot, TarRoot
from albedo_pipeline.readers.unchanged import state_on_disk, unchanged
from albedo_pipeline.runtime.companions import is_companion
from albedo_pipeline.runtime.plain_files import check_plain_file
from albedo_pipeline.runtime.storage import is_remote

logger = logging.getLogger(__name__)

_FOLDERS = 4096
"""Number of folders whose real place is remembered."""


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
        """Size and time (or entity tag) of one file, or why it has none; never raises."""

    def opened(self, name: str) -> AbstractContextManager[Path]:
        """A path that can be read while the context lasts.

        Raises:
            BadSampleError: "name: reason", if the name leaves the root, is missing or no plain
                file, and at the end if the file was changed meanwhile.
            TransientReadError: if the next run may be able to read it.
        """


def open_root(path: Path) -> Root:
    """The root at a path; a folder in object storage and the members of a `.tar` are listed here.

    Raises:
        ProjectError: if there is neither a folder nor a sound, uncompressed `.tar`, or the store
            does not list it.
    """
    if is_remote(path):
        states = list_folder(path)
        is_file = list(states) == [""]
        if is_file:
            return RemoteTarRoot(path, read_remote_index(path, states[""]))
        return RemoteRoot(path, states)
    if path.is_dir():
        return FolderRoot(path)
    if not path.is_file():
        raise ProjectError(f"{path}: no such folder or .tar")
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
        self.companions = log_companions(self.path, companions)
        return sorted(names)

    def signature(self, name: str) -> str:
        """Size and time of change, or what keeps the file from being read: when that is mended,
        size and time may well be the same."""
        path = self._path_of(name)
        state = state_on_disk(path)
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
        with unchanged(name, path):
            yield path


def _refuse_folder(error: OSError) -> None:
    raise ProjectError(f"{error.filename}: {error.strerror}") from error
