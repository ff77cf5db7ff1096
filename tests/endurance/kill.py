"""Kills a training many times, and compares its result with that of an undisturbed training.

    python -m tests.endurance.kill [N] [--seed S] [--pipeline train|autoencoder]

The denoiser of a small project, or its autoencoder with an adversary (WGAN-GP), is trained once
undisturbed, and once with N SIGKILLs. The moments of the kills take turns: while the training
starts or soon after, while it writes a checkpoint, and at random. The program exits with 1 unless
weights, weight average and optimiser state, those of discriminators included, are bit-identical and
the log has the same losses.
"""

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tests.endurance.killing import argument_parser, start
from tests.support.project import new_project, run_kedro

TENSORS = ("weights", "ema", "optimiser")


@dataclass(frozen=True)
class Training:
    """A training that can be killed."""

    checkpoints: Path
    """Folder of its checkpoints in the project."""
    settings_path: str
    """Where its settings are in the parameters."""
    last_node: str
    """The last node before it."""
    steps: int
    """Optimiser steps for each kill."""
    changes: dict[str, object]
    """Settings of its own."""

    def settings(self, kills: int) -> str:
        """Settings of a training that is long enough for all kills."""
        changes = {
            "max_steps": self.steps * kills,
            "checkpoints.every": 5,
            "validation.every": 50,
            "visualisation.every": 50,
            "micro_batch_size": 2,
            **self.changes,
        }
        return ",".join(f"{self.settings_path}.{key}={value}" for key, value in changes.items())


TRAININGS = {
    "train": Training(
        Path("data/test/06_models/checkpoints"),
        "train",
        "encode.encode_pairs",
        60,
        {"noise.kind": "multi_resolution"},
    ),
    "autoencoder": Training(
        Path("data/test/06_models/autoencoder_checkpoints"),
        "autoencoder.training",
        "ingest.describe_pairs",
        60,
        {
            "adversary.start_step": 20,
            "adversary.channels": 8,
            "adversary.layers": 1,
            "adversary.kind": "wasserstein",
            "adversary.gradient_penalty.kind": "interpolated",
            "adversary.gradient_penalty.every": 4,
            "on_mismatch": "stop",
        },
    ),
}


def kill(process: subprocess.Popen, folder: Path, number: int, rng: random.Random) -> str:
    """Kill the process at the moment of this turn, and return what it was doing."""
    before = set(folder.glob("step-*"))
    if number % 3 == 0:
        time.sleep(rng.uniform(2, 8))
    else:  # wait until it has written a checkpoint itself
        while process.poll() is None and set(folder.glob("step-*")) <= before:
            time.sleep(0.002)
        if number % 3 == 1:
            while process.poll() is None and not list(folder.glob(".step-*.partial")):
                pass
        time.sleep(rng.uniform(0, 0.02 if number % 3 == 1 else 1.5))
    process.kill()
    process.wait()
    return "in a checkpoint" if list(folder.glob(".step-*")) else "elsewhere"


def differences(one: Path, two: Path) -> list[str]:
    """Names of what differs between the last checkpoints of two folders."""
    newest = [max(folder.glob("step-????????")) for folder in (one, two)]
    different = [] if newest[0].name == newest[1].name else ["step"]
    for name in TENSORS:
        files = [(folder / f"{name}.safetensors").read_bytes() for folder in newest]
        different += [] if files[0] == files[1] else [name]
    states = [json.loads((folder / "state.json").read_text())["training"] for folder in newest]
    different += [] if {**states[0], "run": ""} == {**states[1], "run": ""} else ["state"]
    logs = [pd.read_parquet(folder / "log.parquet") for folder in newest]
    names = [n for n in logs[0] if n in ("step", "loss", "grad_norm") or n.startswith("valid")]
    return different + ([] if logs[0][names].equals(logs[1][names]) else ["log"])


def train_both_ways(
    folder: Path, pipeline: str, kills: int, seed: int
) -> tuple[list[str], list[str]]:
    """Train undisturbed and with kills; return what each kill hit, and what differs at the end."""
    training = TRAININGS[pipeline]
    undisturbed, killed = new_project(folder / "undisturbed"), folder / "killed"
    before = run_kedro(undisturbed, "run", "--pipelines", "demo", "--to-nodes", training.last_node)
    assert before.returncode == 0, before.stderr
    shutil.copytree(undisturbed, killed)
    changes, rng = training.settings(kills), random.Random(seed)
    finished = start(undisturbed, pipeline, changes).wait() == 0
    assert finished, "the undisturbed training failed"
    hits = []
    for number in range(kills):
        process = start(killed, pipeline, changes)
        hits.append(kill(process, killed / training.checkpoints, number, rng))
        if process.returncode != -9:
            raise RuntimeError(f"kill {number + 1} came too late: {process.returncode}")
        print(f"kill {number + 1} of {kills}: {hits[-1]}", flush=True)
    assert start(killed, pipeline, changes).wait() == 0, "the last run failed"
    folders = (undisturbed / training.checkpoints, killed / training.checkpoints)
    return hits, differences(*folders)


def main() -> None:
    """Train both ways, print the result, and exit with 1 if anything differs."""
    parser = argument_parser(__doc__)
    parser.add_argument("--pipeline", choices=TRAININGS, default="train")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        hits, different = train_both_ways(
            Path(folder), options.pipeline, options.kills, options.seed
        )
    inside = sum(hit == "in a checkpoint" for hit in hits)
    print(f"{len(hits)} kills, {inside} of them while a checkpoint was written")
    print("differs: " + ", ".join(different) if different else "bit-identical")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
