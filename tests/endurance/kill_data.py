"""Kill `ingest` and `encode` again and again, and compare what they end with.

    python tests/endurance/kill_data.py [N] [--seed S]

Each pipeline is run once undisturbed, and then with N SIGKILLs at random moments between its first
and its last shard; each restart takes over what is finished. Where a run gets to its end before N
kills have landed, its result is compared and removed, and the next round begins from nothing.
Exits with 1 unless every round leaves the same files, byte for byte.
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
from tests.endurance.killing import arguments, start
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
  filepath: {root}/src/albedo_pipeline/models/bundled
latents:
  type: albedo_pipeline.shards.datasets.LatentShardsDataset
  filepath: data/test/05_model_input/latents
  samples_per_shard: 4
"""


@dataclass(frozen=True)
class Stage:
    """A pipeline, and the folder of shards that it makes."""

    pipeline: str
    folder: Path


STAGES = (
    Stage("ingest", Path("data/test/03_primary/pairs")),
    Stage("encode", Path("data/test/05_model_input/latents")),
)


def made_pair(number: int) -> RawPair:
    """Patches under a smooth light, ten to a group."""
    colours = np.random.default_rng(number).uniform(0.05, 0.9, (4, 4, 3)).astype(np.float32)
    albedo = np.kron(colours, np.ones((SIDE // 4, SIDE // 4, 1), np.float32))
    light = np.linspace(0.2, 3, SIDE, dtype=np.float32)[:, None, None]
    name = f"scene-{number // 10:03}/{number}"
    return RawPair(name, name.split("/")[0], albedo * light, albedo, np.ones((SIDE, SIDE), bool))


def make_projects(folder: Path) -> tuple[Path, Path]:
    """Two projects that read the same pairs."""
    dataset = FilenameListDataset(filepath=str(folder / "raw" / "pairs.txt"))
    dataset.save(made_pair(number) for number in range(PAIRS))
    projects = folder / "whole", folder / "cut"
    for project in projects:
        catalog = new_project(project) / "conf" / "test" / "catalog.yml"
        catalog.write_text(CATALOG.format(folder=folder, root=ROOT), encoding="utf-8")
    return projects


def samples(folder: Path) -> int:
    """Samples in the shards that are there; every one of them must open."""
    return sum(len(open_shard(path).scalars) for path in folder.glob("shard-*.arrow"))


def wait_for_work(process: subprocess.Popen, folder: Path) -> None:
    """Until the process begins a shard of its own, or ends."""
    before = set(folder.glob(".shard-*"))
    while process.poll() is None and set(folder.glob(".shard-*")) <= before:
        time.sleep(0.005)


def undisturbed_span(project: Path, stage: Stage) -> float:
    """Run to the end; seconds from the first shard's beginning to the last one's end."""
    process = start(project, stage.pipeline, SETTINGS)
    wait_for_work(process, project / stage.folder)
    begun = time.monotonic()
    while process.poll() is None and not has_index(project / stage.folder):
        time.sleep(0.005)
    span = time.monotonic() - begun
    assert process.wait() == 0, f"the undisturbed {stage.pipeline} failed"
    return span


def kill_at_work(process: subprocess.Popen, folder: Path, delay: float) -> bool:
    """Kill some time after the first new shard is begun; whether that was before the last one's
    end."""
    wait_for_work(process, folder)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.kill()
    if process.wait() not in (0, -9):
        raise RuntimeError(f"a run failed by itself: {process.returncode}")
    return process.returncode == -9 and not has_index(folder)


def differences(whole: Path, cut: Path) -> list[str]:
    """Names of files that only one folder has, or whose bytes differ."""
    files = [{path.name: path.read_bytes() for path in f.iterdir()} for f in (whole, cut)]
    return sorted({name for name, _ in files[0].items() ^ files[1].items()})


def killed(whole: Path, cut: Path, stage: Stage, kills: int, chance: random.Random) -> list[str]:
    """Kill, restart and compare, until all kills have landed; what differs."""
    span, folder = undisturbed_span(whole, stage), cut / stage.folder
    total, landed, rounds = samples(whole / stage.folder), 0, 0
    shards = len(list((whole / stage.folder).glob("shard-*")))
    print(f"{stage.pipeline}: {total} samples in {shards} shards, {span:.1f} s", flush=True)
    found = []
    while landed < kills and not found:
        missing = 1 - samples(folder) / total
        process = start(cut, stage.pipeline, SETTINGS)
        if kill_at_work(process, folder, chance.uniform(0, span * missing)):
            landed += 1
            torn = len(list(folder.glob(".shard-*")))
            there = f"{samples(folder)} of {total} samples there, {torn} shards half-written"
            print(f"{stage.pipeline}, kill {landed} of {kills}: {there}", flush=True)
        if landed == kills or has_index(folder):
            process = start(cut, stage.pipeline, SETTINGS)
            assert process.wait() == 0, f"the last {stage.pipeline} failed"
            found, rounds = differences(whole / stage.folder, folder), rounds + 1
            result = "differs" if found else "the same bytes"
            print(f"{stage.pipeline}, end of round {rounds}: {result}", flush=True)
            if landed < kills and not found:
                shutil.rmtree(folder.parent)
    return found


def main() -> None:
    """Run, report, and exit with 1 where anything differs."""
    given = arguments(__doc__)
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        whole, cut = make_projects(Path(name))
        found = [f for stage in STAGES for f in killed(whole, cut, stage, given.kills, chance)]
    print("differs: " + ", ".join(found) if found else "the same bytes as the undisturbed runs")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
