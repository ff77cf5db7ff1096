"""Kills `ingest` and `encode` many times, and compares their results with undisturbed runs.

    python -m tests.endurance.kill_data [N] [--seed S]

Each pipeline runs once undisturbed, and then with N SIGKILLs at random moments between its first
and its last shard; each restart keeps the finished shards. If a run ends before all N kills, its
result is compared and deleted, and the next round starts from nothing. The program exits with 1
unless every round leaves the same files, byte for byte.
"""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from albedo_pipeline.readers.filename_list import FilenameListDataset
from albedo_pipeline.readers.raw_pairs import RawPair
from albedo_pipeline.shards.index import has_index
from albedo_pipeline.shards.shard_file import open_shard
from tests.endurance.killing import argument_parser, start
from tests.support.project import ROOT, new_project

PAIRS, SIDE = 400, 384
SETTINGS = "ingest.resolution=96,ingest.workers=1"
CATALOG = """
raw_pairs:
  type: albedo_pipeline.readers.filename_list.FilenameListDataset
  filepath: {folder}/raw/pairs.txt
pairs:
  type: albedo_pipeline.shards.datasets.PairShardsDataset
  filepath: data/test/03_primary/pairs
  samples_per_shard: 4
autoencoder:
  type: albedo_pipeline.artifacts.models.AutoencoderDataset
  filepath: {root}/src/albedo_pipeline/models/bundled/autoencoder
latents:
  type: albedo_pipeline.shards.datasets.LatentShardsDataset
  filepath: data/test/05_model_input/latents
  samples_per_shard: 4
"""


@dataclass(frozen=True)
class Stage:
    """A pipeline, and the folder of shards that it writes."""

    pipeline: str
    folder: Path


STAGES = (
    Stage("ingest", Path("data/test/03_primary/pairs")),
    Stage("encode", Path("data/test/05_model_input/latents")),
)


def new_pair(number: int) -> RawPair:
    """A pair of coloured patches under a smooth light; ten pairs make a group."""
    colours = np.random.default_rng(number).uniform(0.05, 0.9, (4, 4, 3)).astype(np.float32)
    albedo = np.kron(colours, np.ones((SIDE // 4, SIDE // 4, 1), np.float32))
    light = np.linspace(0.2, 3, SIDE, dtype=np.float32)[:, None, None]
    name = f"scene-{number // 10:03}/{number}"
    return RawPair(name, name.split("/")[0], albedo * light, albedo, np.ones((SIDE, SIDE), bool))


def make_projects(folder: Path) -> tuple[Path, Path]:
    """Make two projects that read the same pairs."""
    dataset = FilenameListDataset(filepath=str(folder / "raw" / "pairs.txt"))
    dataset.save(new_pair(number) for number in range(PAIRS))
    projects = folder / "undisturbed", folder / "killed"
    for project in projects:
        catalog = new_project(project) / "conf" / "test" / "catalog.yml"
        catalog.write_text(CATALOG.format(folder=folder, root=ROOT), encoding="utf-8")
    return projects


def count_samples(folder: Path) -> int:
    """Number of samples in the shards that exist, each of which must open."""
    return sum(len(open_shard(path).scalars) for path in folder.glob("shard-*.arrow"))


def wait_for_shard(process: subprocess.Popen, folder: Path) -> None:
    """Wait until the process begins a shard, or ends."""
    before = set(folder.glob(".shard-*"))
    while process.poll() is None and set(folder.glob(".shard-*")) <= before:
        time.sleep(0.005)


def undisturbed_span(project: Path, stage: Stage) -> float:
    """Run a pipeline undisturbed; return the seconds from its first shard to its last one."""
    process = start(project, stage.pipeline, SETTINGS)
    wait_for_shard(process, project / stage.folder)
    first = time.monotonic()
    while process.poll() is None and not has_index(project / stage.folder):
        time.sleep(0.005)
    span = time.monotonic() - first
    assert process.wait() == 0, f"the undisturbed {stage.pipeline} failed"
    return span


def kill_while_writing(process: subprocess.Popen, folder: Path, delay: float) -> bool:
    """Kill a process some seconds after it begins its first shard.

    Returns:
        Whether the kill came before the end of the last shard.
    """
    wait_for_shard(process, folder)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.kill()
    if process.wait() not in (0, -9):
        raise RuntimeError(f"a run failed without a kill: {process.returncode}")
    return process.returncode == -9 and not has_index(folder)


def differences(one: Path, two: Path) -> list[str]:
    """Names of files that only one folder has, or whose bytes differ."""
    files = [{path.name: path.read_bytes() for path in f.iterdir()} for f in (one, two)]
    return sorted({name for name, _ in files[0].items() ^ files[1].items()})


def kill_and_compare(
    undisturbed: Path, killed: Path, stage: Stage, kills: int, rng: random.Random
) -> list[str]:
    """Kill, restart and compare until all kills are done; return the files that differ."""
    span, folder = undisturbed_span(undisturbed, stage), killed / stage.folder
    total, done, rounds = count_samples(undisturbed / stage.folder), 0, 0
    shards = len(list((undisturbed / stage.folder).glob("shard-*")))
    print(f"{stage.pipeline}: {total} samples in {shards} shards, {span:.1f} s", flush=True)
    different = []
    while done < kills and not different:
        missing = 1 - count_samples(folder) / total
        process = start(killed, stage.pipeline, SETTINGS)
        if kill_while_writing(process, folder, rng.uniform(0, span * missing)):
            done += 1
            partial = len(list(folder.glob(".shard-*")))
            state = f"{count_samples(folder)} of {total} samples, {partial} partial shards"
            print(f"{stage.pipeline}, kill {done} of {kills}: {state}", flush=True)
        if done == kills or has_index(folder):
            process = start(killed, stage.pipeline, SETTINGS)
            assert process.wait() == 0, f"the last {stage.pipeline} failed"
            different, rounds = differences(undisturbed / stage.folder, folder), rounds + 1
            result = "differs" if different else "the same bytes"
            print(f"{stage.pipeline}, end of round {rounds}: {result}", flush=True)
            if done < kills and not different:
                shutil.rmtree(folder.parent)
    return different


def main() -> None:
    """Check both pipelines, and exit with 1 if anything differs."""
    options = argument_parser(__doc__).parse_args()
    rng, different = random.Random(options.seed), []
    with tempfile.TemporaryDirectory() as name:
        undisturbed, killed = make_projects(Path(name))
        for stage in STAGES:
            different += kill_and_compare(undisturbed, killed, stage, options.kills, rng)
    print("differs: " + ", ".join(different) if different else "the same bytes")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
