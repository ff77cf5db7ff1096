"""What a run records of itself: configuration, command, code, packages, machine."""

import json
import os
import platform
import shlex
import socket
import sys
import time
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import torch

from albedo_pipeline.provenance.git import git_state
from albedo_pipeline.runtime.atomic_files import write_text


def run_record(
    configuration: dict[str, Any], data: dict[str, str], code: str, processes: int
) -> dict[str, Any]:
    """Facts about this process, ready for JSON.

    Args:
        configuration: the resolved settings.
        data: fingerprints of the data that is read, by name.
        code: digest of the code that is run; see `provenance.code`.
        processes: number of processes that share the work.
    """
    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": shlex.join(sys.orig_argv),
        "configuration": configuration,
        "data": data,
        "git": asdict(git_state(Path.cwd())),
        "code": code,
        "python": platform.python_version(),
        "packages": package_versions(),
        "host": socket.gethostname(),
        "processes": processes,
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "slurm_job_id": os.environ.get("SLURM_JOB_ID"),
    }


def package_versions() -> dict[str, str]:
    """Versions of all installed packages, by name."""
    return dict(sorted((d.name, d.version) for d in distributions()))


def record_text(record: dict[str, Any]) -> str:
    """The record for reading: everything but the packages, which are hundreds."""
    return json.dumps({k: v for k, v in record.items() if k != "packages"}, indent=2)


def write_record(folder: Path, record: dict[str, Any], diff: bytes) -> Path:
    """Write the record of one start to `runs/<time>-<process>.json` in the folder.

    The time has microseconds, so each start has a file of its own; sorted by name, the files are in
    the order of the starts.

    Args:
        folder: where `runs` is.
        record: what `run_record` returned.
        diff: uncommitted changes of the code, written beside it as `.diff`; no file if empty.

    Returns:
        The file of the record.
    """
    path = folder / "runs" / f"{datetime.now():%Y%m%d-%H%M%S-%f}-{os.getpid()}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        json.dump(record, file, indent=2)
    if diff:
        path.with_suffix(".diff").write_bytes(diff)
    return path


def record_end(path: Path, seconds: float) -> float:
    """Add the duration of a run to its record; returns that of all recorded runs, seconds.

    Runs that were killed did not get here, so their time is missing.
    """
    record = json.loads(path.read_text(encoding="utf-8")) | {"seconds": round(seconds, 3)}
    write_text(path, json.dumps(record, indent=2))
    runs = [json.loads(run.read_text(encoding="utf-8")) for run in path.parent.glob("*.json")]
    return sum(run.get("seconds", 0.0) for run in runs)
