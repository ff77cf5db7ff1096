"""What the app keeps for each open page: whether its prediction is wanted, and its files."""

import hashlib
import shutil
import threading
from pathlib import Path


class Sessions:
    """One folder and one cancel flag for each page, by the session's name."""

    def __init__(self, folder: Path) -> None:
        """Keep the files below `folder`, which need not exist."""
        self._folder = folder
        self._cancelled: dict[str, threading.Event] = {}

    def start(self, session: str) -> tuple[threading.Event, Path]:
        """Begin a prediction: an event that says when to end it, and the folder for its files.

        An earlier prediction of the page ends.
        """
        self.cancel(session)
        event = self._cancelled[session] = threading.Event()
        folder = self._folder_of(session)
        folder.mkdir(parents=True, exist_ok=True)
        return event, folder

    def cancel(self, session: str) -> None:
        """End the prediction of a page, if there is one."""
        event = self._cancelled.pop(session, None)
        if event is not None:
            event.set()

    def end(self, session: str) -> None:
        """The page was closed: end its prediction, and remove its files."""
        self.cancel(session)
        shutil.rmtree(self._folder_of(session), ignore_errors=True)

    def _folder_of(self, session: str) -> Path:
        """Folder of a page. The browser chooses the name, which may be any path."""
        return self._folder / hashlib.sha256(session.encode("utf-8", "replace")).hexdigest()[:32]
