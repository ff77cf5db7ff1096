"""One process at a time writes a folder."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from albedo_pipeline.errors import ProjectError


@contextmanager
def locked(folder: Path, who: str) -> Iterator[None]:
    """Hold a folder for this process; a killed one lets go by itself.

    Args:
        who: what to call the other one, where there is one: "another training".

    Raises:
        ProjectError: where another process holds it; names that.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Beside the folder, which may be versioned; open for reading too, to name the holder.
    lock = folder.with_name(f".{folder.name}.lock")
    with lock.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise ProjectError(f"{folder}: {who} writes here ({file.read().strip()})") from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
