"""Kills nodes of a Ray cluster while `ingest`, `encode`, `evaluate` and `predict` run on it.

    python -m tests.endurance.kill_nodes [N] [--seed S] [--pipeline predict]

Each pipeline, or the named one, runs once in one process, and then on a cluster on this machine,
whose first node has one core. Another node with one core is killed N times at random moments, each
time another one is added. The program exits with 1 unless the files are the same, byte for byte,
and none is left half-written.
"""

import os
import random
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from albedo_pipeline.readers.filename_list import FilenameListDataset
from tests.endurance.kill_data import CATALOG, PAIRS, new_pair
from tests.endurance.killing import argument_parser, start
from tests.support.project import ROOT, new_project, run_kedro
from tests.support.ray_cluster import NODE

MORE = """
predictions:
  type: albedo_pipeline.shards.datasets.PredictionShardsDataset
  filepath: data/test/07_model_output/predictions
  samples_per_shard: 4
"""


@dataclass(frozen=True)
class Stage:
    """A pipeline, the folder that it fills, its settings, and the pipelines to run before it."""

    pipeline: str
    folder: Path
    settings: str = ""
    needs: tuple[str, ...] = ()


STAGES = (
    Stage("ingest", Path("data/test/03_primary/pairs"), "ingest.resolution=96,ingest.workers=1"),
    Stage("encode", Path("data/test/05_model_input/latents"), needs=("ingest",)),
    Stage(
        "evaluate",
        Path("data/test/07_model_output/predictions"),
        "evaluate.ensemble.members=8",
        ("ingest", "encode", "train"),
    ),
    Stage(
        "predict",
        Path("data/test/07_model_output/user"),
        "predict.model=bundled,predict.resolution=96",
    ),
)


def with_settings(stage: Stage, images: Path, more: str = "") -> str:
    """Settings of a stage, as an argument of `kedro run`."""
    given = f"predict.input={images}" if stage.pipeline == "predict" else ""
    return ",".join(filter(None, (stage.settings, given, more)))


def run_locally(project: Path, images: Path, stages: list[Stage]) -> None:
    """Run the stages in one process each, and what they need."""
    wanted = {name for stage in stages for name in (*stage.needs, stage.pipeline)}
    for pipeline in ("ingest", "encode", "train", "evaluate", "predict"):
        if pipeline not in wanted:
            continue
        settings = [with_settings(s, images) for s in STAGES if s.pipeline == pipeline]
        options = ("--params", settings[0]) if settings and settings[0] else ()
        done = run_kedro(project, "run", "--pipelines", pipeline, *options, timeout=1200)
        assert done.returncode == 0, done.stderr


def contents(folder: Path) -> dict[str, bytes]:
    """The files that do not say how long something took."""
    skipped = (".json", ".html") if folder.name == "user" else ()
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in skipped)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def started(folder: Path) -> bool:
    """Whether anything was written in a folder."""
    return folder.is_dir() and any(folder.iterdir())


def run_on_cluster(
    cluster: Any, project: Path, images: Path, stage: Stage, kills: int, rng: random.Random
) -> int:
    """Run a stage on the cluster, and kill nodes meanwhile; returns the number of kills."""
    compute = f"{stage.pipeline}.compute"
    on_ray = f"{compute}.engine=ray,{compute}.address={cluster.address},{compute}.workers=2"
    process = start(project, stage.pipeline, with_settings(stage, images, on_ray))
    done = 0
    while process.poll() is None:
        time.sleep(rng.uniform(0.2, 3))
        if done < kills and started(project / stage.folder) and process.poll() is None:
            cluster.remove_node(sorted(cluster.worker_nodes, key=id)[0], allow_graceful=False)
            cluster.add_node(**NODE)
            done += 1
    assert process.returncode == 0, f"{stage.pipeline} failed on the cluster"
    return done


def main() -> None:
    """Check the pipelines, and exit with 1 if anything differs."""
    from ray.cluster_utils import Cluster

    parser = argument_parser(__doc__)
    parser.add_argument("--pipeline", choices=[stage.pipeline for stage in STAGES])
    options = parser.parse_args()
    stages = [stage for stage in STAGES if options.pipeline in (None, stage.pipeline)]
    rng, is_different = random.Random(options.seed), False
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw = FilenameListDataset(filepath=str(folder / "raw" / "pairs.txt"))
        raw.save(new_pair(number) for number in range(PAIRS))
        images = folder / "images"
        images.mkdir()
        for place, path in enumerate(sorted((folder / "raw").rglob("*beauty.exr"))[:60]):
            shutil.copy(path, images / f"{place}.exr")
        local = new_project(folder / "local")
        catalog = local / "conf" / "test" / "catalog.yml"
        catalog.write_text(CATALOG.format(folder=folder, root=ROOT) + MORE, encoding="utf-8")
        run_locally(local, images, stages)
        cluster = Cluster(initialize_head=True, head_node_args=NODE | {"include_dashboard": False})
        cluster.add_node(**NODE)
        for stage in stages:
            expected = contents(local / stage.folder)
            for leftover in (stage.folder, stage.folder.with_name(f".{stage.folder.name}.ledger")):
                shutil.rmtree(local / leftover, ignore_errors=True)
            kills = run_on_cluster(cluster, local, images, stage, options.kills, rng)
            same = contents(local / stage.folder) == expected
            is_different |= not same
            result = "the same bytes" if same else "differs"
            print(
                f"{stage.pipeline}: {kills} nodes killed, {len(expected)} files, {result}",
                flush=True,
            )
        cluster.shutdown()
    sys.exit(is_different)


if __name__ == "__main__":
    main()
