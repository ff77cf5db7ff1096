"""Runs the whole chain on an S3 server that refuses requests, and compares it with the disk.

    python -m tests.endurance.object_storage [--fail-every N] [--seconds S]

The server runs on this machine. Each N-th request is refused or its answer is lost, and each answer
takes S seconds longer. The program exits with 1 unless weights, metrics, tables and the bytes of
all shards are those of the same chain on the disk.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from albedo_pipeline.artifacts.tables import read_table
from albedo_pipeline.runtime.remote_folder import local_copy
from albedo_pipeline.runtime.storage import files_in, location, read, upload
from tests.support.object_store import new_bucket, s3_on_this_machine
from tests.support.project import new_project, run_kedro

SHARDS = ("03_primary/pairs", "05_model_input/latents", "07_model_output/predictions")
MODELS = ("06_models/autoencoder", "06_models/denoiser", "06_models/albedo_autoencoder")
TABLES = {
    "03_primary/manifest.parquet": "ingest",
    "03_primary/audit.parquet": "ingest",
    "08_reporting/per_sample.parquet": "evaluate",
}
METRICS = "08_reporting/metrics.json"
RAW = """
raw_pairs:
  type: albedo_pipeline.readers.filename_list.FilenameListDataset
  filepath: {url}/01_raw/rendered/pairs.txt
  colour_space: linear
"""


def run(project: Path, pipeline: str) -> float:
    """Run a pipeline that must succeed; returns its seconds."""
    started = time.monotonic()
    result = run_kedro(project, "run", "--pipelines", pipeline, timeout=3000)
    if result.returncode:
        sys.exit(result.stdout + result.stderr)
    return time.monotonic() - started


def project_in_a_bucket(folder: Path, disk: Path, url: str) -> Path:
    """A project whose data lie at the URL, with a copy of the raw pairs of another project."""
    folder.mkdir()
    for path in (disk / "01_raw" / "rendered").rglob("*"):
        if path.is_file():
            upload(path, location(url) / path.relative_to(disk).as_posix())
    project = new_project(folder)
    (project / "conf" / "test" / "globals.yml").write_text(f"data: {url}\n", encoding="utf-8")
    (project / "conf" / "test" / "catalog.yml").write_text(RAW.format(url=url), encoding="utf-8")
    return project


def content(data: Path) -> dict[str, object]:
    """What is compared: bytes of shards and weights, tables, and metrics."""
    found: dict[str, object] = {METRICS: json.loads(read(data / METRICS))}
    for name in SHARDS:
        files = [path for path in files_in(data / name) if path.suffix != ".head"]
        found |= {f"{name}/{path.name}": read(path) for path in files}
    for name in MODELS:
        weights = local_copy(data / name).rglob("*.safetensors")
        found |= {f"{name}/{path.name}": path.read_bytes() for path in weights}
    for name, pipeline in TABLES.items():
        found[name] = read_table(data / name, pipeline).to_json()
    return found


def main() -> None:
    """Run, compare, and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fail-every", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.01)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    try:
        (folder / "disk").mkdir()
        on_disk = new_project(folder / "disk")
        seconds = {"disk": run(on_disk, "demo")}
        expected = content(on_disk / "data" / "test")
        with s3_on_this_machine() as server:
            url = f"{new_bucket()}/albedo"
            remote = project_in_a_bucket(folder / "remote", on_disk / "data" / "test", url)
            server.requests = 0
            server.fail_every, server.seconds = arguments.fail_every, arguments.seconds
            seconds["object storage"] = run(remote, "__default__")
            server.fail_every, server.seconds = 0, 0.0
            found = content(location(url))
            print(f"{server.failed} of {server.requests} requests failed; seconds: {seconds}")
        left = sorted(str(path) for path in (remote / "data").rglob("*") if path.is_file())
        differ = [name for name in expected | found if expected.get(name) != found.get(name)]
        print(f"{len(expected)} results, different: {differ}; files on the disk: {left}")
        sys.exit(1 if differ or left else 0)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
