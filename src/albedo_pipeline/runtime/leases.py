"""Leases: one process at a time writes to a folder in object storage, which has no locks."""

import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.storage import create, put, read, store_errors

logger = logging.getLogger(__name__)
SECONDS = 60.0
"""Time after which a lease that is not renewed is free."""
RENEWALS = 6
"""Number of renewals in this time."""


class Lease:
    """A small object beside the folder, which its holder rewrites while it works.

    Each renewal writes a new number, so another process sees that the holder lives without
    comparing clocks: it watches whether the object changes. All writes are conditional, so of
    several processes that find a free lease one gets it.
    """

    def __init__(self, folder: Any, who: str) -> None:
        self._folder, self._who = folder, who
        self._path = folder.with_name(f".{folder.name}.lease")
        self._token = uuid.uuid4().hex
        self._name = f"process {os.getpid()} on {socket.gethostname()}"
        self._renewals = 0
        self._tag, self._renewed, self._is_lost = "", 0.0, False
        self._released = threading.Event()

    def acquire(self) -> None:
        """Take the lease if it is free, or if its holder does not renew it.

        Raises:
            ProjectError: if another process holds it; names that process.
        """
        if create(self._path, self._content()):
            self._note_tag()
            return
        started = time.monotonic()
        seen, tag = self._read()
        if seen.get("token") != self._token:  # otherwise it is a first try whose answer was lost
            logger.info(
                "%s: its lease is held by %s; waiting up to %g s to see whether it is renewed",
                self._folder,
                seen.get("name"),
                SECONDS,
            )
        while seen.get("token") not in (None, self._token):
            if _is_dead(seen) or time.monotonic() - started > SECONDS:
                break
            time.sleep(SECONDS / RENEWALS / 4)
            now, tag = self._read()
            if now and now != seen:
                raise ProjectError(f"{self._folder}: {self._who} writes here ({now.get('name')})")
            seen = now
        if not self._write(tag):
            raise ProjectError(f"{self._folder}: {self._who} has begun to write here")

    def keep(self) -> None:
        """Renew the lease until it is released; runs on a thread."""
        while not self._released.wait(SECONDS / RENEWALS):
            with suppress(OSError):  # the store may answer the next time
                self._is_lost = not self._write(self._tag)
            if self._is_lost:
                return

    def check(self) -> None:
        """
        Raises:
            ProjectError: if the lease is no longer this process's.
        """
        if self._is_lost or time.monotonic() - self._renewed > SECONDS:
            raise ProjectError(
                f"{self._folder}: the lease was not renewed for {SECONDS:g} s, and {self._who} may "
                "write here now; run again"
            )

    def release(self) -> None:
        """Delete the lease if it is still this process's."""
        self._released.set()
        with suppress(OSError):
            if self._read()[0].get("token") == self._token:
                self._path.unlink(missing_ok=True)

    def _content(self) -> bytes:
        self._renewals += 1
        content = {"name": self._name, "token": self._token, "renewals": self._renewals}
        content |= {"machine": _machine(), "process": os.getpid(), "time": time.time()}
        return json.dumps(content).encode()

    def _read(self) -> tuple[dict[str, Any], str]:
        """Content and tag of the object; empty if there is none."""
        try:
            with store_errors(self._path):
                facts = self._path.fs.info(self._path.path, refresh=True)
            # Before the content, so that the tag is never newer than what was read.
            tag = facts.get("ETag") or facts.get("etag") or "unknown"
            return json.loads(read(self._path)), str(tag)
        except FileNotFoundError:
            return {}, ""

    def _note_tag(self) -> None:
        content, self._tag = self._read()
        self._is_lost = content.get("token") != self._token
        self._renewed = time.monotonic()

    def _write(self, tag: str) -> bool:
        """Write the object if it still has this tag; whether this process holds it then.

        Raises:
            OSError: if the store does not answer.
        """
        if not tag:
            create(self._path, self._content())
        elif self._path.protocol != "s3":
            put(self._path, self._content())
        else:
            with suppress(OSError):  # the condition does not hold, or the answer was lost
                put(self._path, self._content(), IfMatch=tag)
        self._note_tag()
        return not self._is_lost


def _machine() -> str:
    """Name of this machine or container, and of its start.

    Containers may share the host's name, but not the numbers of their processes.
    """
    boot, numbers = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    start = boot.read_text().strip() if boot.is_file() else ""
    return f"{socket.gethostname()} {start} {numbers.readlink() if numbers.is_symlink() else ''}"


def _is_dead(content: dict[str, Any]) -> bool:
    """Whether the holder was a process of this machine that has ended."""
    if content.get("machine") != _machine():
        return False
    try:
        os.kill(int(content["process"]), 0)
    except ProcessLookupError:
        return True
    except (KeyError, ValueError, OSError):
        return False
    return False


@contextmanager
def leased(folder: Any, who: str) -> Iterator[Lease]:
    """Hold a folder in object storage for this process; see `locks.locked`."""
    lease = Lease(folder, who)
    try:
        lease.acquire()
        threading.Thread(target=lease.keep, name="lease", daemon=True).start()
        yield lease
    finally:
        lease.release()
