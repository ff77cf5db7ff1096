"""What a run records of itself: configuration, command, code, packages, machine."""

import hashlib
import json
import os
import platform
import shlex
import socket
import subprocess
import sys
import time
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import torch

from albedo_pipeline.params import TrainParams

_ROOMS = (
    "datasets",
    "diffusion",
    "imaging",
    "inference",
    "metrics",
    "models",
    "params",
    "training",
)


def code_digest() -> str:
    """Digest of the project's code that a training runs through."""
    package, digest = Path(__file__).parents[1], hashlib.sha256()
    for room in _ROOMS:
        for path in sorted((package / room).rglob("*.py")):
            digest.update(f"{path.relative_to(package)}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def run_record(params: TrainParams, latents: dict[str, str], processes: int) -> dict[str, Any]:
    """JSON-able facts about this process; `latents` are the latent sets' fingerprints."""
    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": shlex.join(sys.orig_argv),
        "configuration": params.model_dump(mode="json"),
        "latents": latents,
        "git": _git(),
        "code": code_digest(),
        "python": platform.python_version(),
        "packages": dict(sorted((d.name, d.version) for d in distributions())),
        "host": socket.gethostname(),
        "processes": processes,
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "slurm_job_id": os.environ.get("SLURM_JOB_ID"),
    }


def _git() -> dict[str, Any]:
    commit, status = (
        _output("git", "rev-parse", "HEAD"),
        _output("git", "status", "--porcelain", "--untracked-files=no"),
    )
    return {"commit": commit, "dirty": None if status is None else bool(status)}


def _output(*command: str) -> str | None:
    """What a command prints; None where it fails or is missing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def record_text(record: dict[str, Any]) -> str:
    """The record as one reads it: all but the hundreds of packages."""
    return json.dumps({k: v for k, v in record.items() if k != "packages"}, indent=2)


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """One file a start of the training: `runs/<time>-<process>.json`."""
    path = folder / "runs" / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=2), encoding="utf-8")
