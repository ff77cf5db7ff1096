"""One process at a time writes to a folder in object storage."""

import json
import os
import time

import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime import leases
from albedo_pipeline.runtime.locks import locked
from albedo_pipeline.runtime.storage import location, put, read


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases of less than a second."""
    monkeypatch.setattr(leases, "SECONDS", 0.9)


def left_by(folder, **changes: object) -> dict:
    """Write the lease of a process that does not renew it."""
    lease = leases.Lease(folder, "another run")
    content = json.loads(lease._content()) | {"token": "other", "name": "other"} | changes
    put(lease._path, json.dumps(content).encode())
    return content


def test_a_second_run_is_refused_and_the_holder_is_named(folder_url: str) -> None:
    folder = location(folder_url)
    message = rf"{folder_url}: another run writes here \(process {os.getpid()} on \S+\)"
    with locked(folder, "another run") as check_held:
        with pytest.raises(ProjectError, match=message), locked(folder, "another run"):
            pass
        check_held()
    assert not folder.with_name(f".{folder.name}.lease").exists()
    with locked(folder, "another run"):
        pass


def test_a_lease_that_is_not_renewed_is_taken_over(folder_url: str) -> None:
    folder = location(folder_url)
    left_by(folder, machine="another")
    started = time.monotonic()
    with locked(folder, "another run") as check_held:
        assert time.monotonic() - started > 0.9
        check_held()


def test_the_lease_of_a_dead_process_of_this_machine_is_taken_over_at_once(
    folder_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "SECONDS", 60.0)
    folder = location(folder_url)
    left_by(folder, process=2**22 + 1)  # larger than any number of a process
    with locked(folder, "another run") as check_held:
        check_held()


def test_a_holder_notices_that_its_lease_was_taken(folder_url: str) -> None:
    folder = location(folder_url)
    with locked(folder, "another run") as check_held:
        taken = left_by(folder)
        time.sleep(0.4)
        with pytest.raises(ProjectError, match="another run may write here now; run again"):
            check_held()
    kept = json.loads(read(folder.with_name(f".{folder.name}.lease")))
    assert kept == taken  # it is the other's
