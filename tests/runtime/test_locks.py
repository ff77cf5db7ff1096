"""One process at a time writes to a folder; a killed one leaves it free."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.locks import holding_process, locked

HOLDER = """import sys
from pathlib import Path
from albedo_pipeline.runtime.locks import locked
with locked(Path(sys.argv[1]), "another run"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_by_another(folder: Path) -> Iterator[subprocess.Popen]:
    """Yield a process that holds the folder; it is killed at the end."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_process_is_refused_and_the_holder_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with held_by_another(folder) as holder:
        message = rf"out: another run writes here \(process {holder.pid} on \S+\)"
        with pytest.raises(ProjectError, match=message), locked(folder, "another run"):
            pass


def test_a_killed_holder_frees_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with held_by_another(folder):
        pass
    assert (tmp_path / ".out.lock-holder").is_file()  # the killed process could not remove it
    with locked(folder, "another run"):
        assert f"process {os.getpid()} on" in (tmp_path / ".out.lock-holder").read_text()


def test_the_files_of_the_lock_stand_beside_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out"
    with locked(folder, "another run"):
        assert list(folder.iterdir()) == []
        assert f"process {os.getpid()} on" in (tmp_path / "new/.out.lock-holder").read_text()
    assert not (tmp_path / "new" / ".out.lock-holder").exists()


def test_an_error_frees_the_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="disk"), locked(tmp_path / "out", "another run"):
        raise OSError("disk")
    with locked(tmp_path / "out", "another run"):
        pass


def test_a_holder_that_has_not_said_its_name_is_refused_too(tmp_path: Path) -> None:
    with locked(tmp_path / "out", "another run"):
        (tmp_path / ".out.lock-holder").unlink()
        message = r"another run writes here \(starting or ending\)"
        with pytest.raises(ProjectError, match=message), locked(tmp_path / "out", "another run"):
            pass


def test_the_holder_on_this_machine_is_known_until_it_ends(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert holding_process(folder) is None
    with held_by_another(folder) as holder:
        assert holding_process(folder) == holder.pid
    assert holding_process(folder) is None  # killed, so its file is still there
    with locked(folder, "another run"):
        assert holding_process(folder) == os.getpid()
        (tmp_path / ".out.lock-holder").write_text("process 1 on another-machine")
        assert holding_process(folder) is None
