"""A folder in object storage whose files are read one at a time."""

import logging
import posixpath
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from albedo_pipeline.errors import (
    BadSampleError,
    ProjectError,
    TransientReadError,
    UnreachableError,
)
from albedo_pipeline.readers.root_names import check_name, log_companions, nfc
from albedo_pipeline.runtime.companions import without_companions
from albedo_pipeline.runtime.storage import download, file_state, file_states

logger = logging.getLogger(__name__)


class RemoteRoot:
    """A folder in object storage, which is listed once; one file at a time is copied to the disk.

    A copy of the root that is sent to another process has no listing. It asks the store for the
    state of each file that it opens instead.

    Args:
        path: the folder.
        states: state of every file, by its name; see `file_states`.
    """

    def __init__(self, path: Any, states: Mapping[str, str]) -> None:
        self.path = path
        self.companions = 0
        self._states: Mapping[str, str] | None = states
        self._spellings: dict[str, str] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_states": None, "_spellings": None}

    def names(self) -> list[str]:
        """Every object that is no companion, and whose name a folder could have."""
        names, companions = without_companions(self._listed())
        self.companions = log_companions(self.path, companions)
        return sorted(names)

    def signature(self, name: str) -> str:
        """Size and entity tag, by which a store knows the content; without a tag, the time."""
        return self._found(name)[1] or "missing"

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        """A temporary file with the object's bytes and the name's suffix.

        Raises TransientReadError, so that the next run tries again, if the store does not give the
        object, or it is not the one that was listed.
        """
        import tempfile

        check_name(name)
        with tempfile.NamedTemporaryFile(suffix=PurePosixPath(name).suffix) as file:
            try:
                self._fetch(name, Path(file.name))
            except (OSError, UnreachableError) as error:
                raise TransientReadError(f"{name}: not read ({error})") from error
            yield Path(file.name)

    def _fetch(self, name: str, target: Path) -> None:
        stored_name, before = self._found(name)
        if before is None:
            raise BadSampleError(f"{name}: no such file")
        source = self.path / stored_name
        try:
            download(source, target)
            after = file_state(source)
        except FileNotFoundError:
            after = None
        if after != before:
            since = "while it was read" if self._states is None else "after it was listed"
            raise TransientReadError(f"{name}: changed {since}")

    def _found(self, name: str) -> tuple[str, str | None]:
        """The name of a file, as the store spells it, and its state; None if there is no file."""
        normal = posixpath.normpath(name)
        state = self._state(normal)
        if state is None and not normal.isascii():
            if self._spellings is None:
                others = (other for other in self._listed() if not other.isascii())
                self._spellings = {nfc(other): other for other in others}
            normal = self._spellings.get(nfc(normal), normal)
            state = self._state(normal)
        return normal, state

    def _state(self, name: str) -> str | None:
        if self._states is not None:
            return self._states.get(name)
        try:
            return file_state(self.path / name)
        except FileNotFoundError:
            return None

    def _listed(self) -> Mapping[str, str]:
        if self._states is None:
            self._states = list_folder(self.path)
        return self._states


def list_folder(path: Any) -> dict[str, str]:
    """State of every file of a folder in object storage by its name; one listing.

    If there is a file at the path instead, such as a `.tar`, it has the name "".

    Objects that no folder on a disk could hold, such as `a//b`, are left out with a warning.

    Raises:
        ProjectError: if there is no such folder, or the store does not list it.
    """
    try:
        states = file_states(path)
    except FileNotFoundError as error:
        raise ProjectError(f"{error}; check the URL") from error
    except OSError as error:
        raise UnreachableError(f"{error}; check the URL, the credentials and the store") from error
    if not states:
        raise ProjectError(f"{path}: no such folder, or an empty one; check the URL")
    if list(states) == [""]:
        return states
    named = {name: state for name, state in states.items() if posixpath.normpath(name) == name}
    if len(named) < len(states):
        example = next(name for name in states if name not in named)
        logger.warning(
            "%s: passed over %d object(s) whose names are no paths of files, such as %r",
            path,
            len(states) - len(named),
            example,
        )
    return named
