"""Kills a training many times, and compares its result with that of an undisturbed training.

    python -m tests.endurance.kill [N] [--seed S]

A small project is trained once undisturbed, and once with N SIGKILLs. The moments of the kills take
turns: while the training starts or soon after, while it writes a checkpoint, and at random. The
program exits with 1 unless weights, weight average and optimiser state are bit-identical and the
log has the same losses.
"""

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from tests.endurance.killing import arguments, start
from tests.support.project import new_project, run_kedro

CHECKPOINTS = Path("data/test/06_models/checkpoints")
LAST_NODE = "encode.encode_pairs"
"""The last node before the training."""
TENSORS = ("weights", "ema", "optimiser")


def settings(kills: int) -> str:
    """Settings of a training that is long enough for all kills."""
    changes = {
        "max_steps": 60 * kills,
        "checkpoints.every": 5,
        "validation.every": 50,
        "visualisation.every": 50,
        "noise.kind": "multi_resolution",
        "micro_batch_size": 2,
    }
    return ",".join(f"train.{key}={value}" for key, value in changes.items())


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


def train_both_ways(folder: Path, kills: int, seed: int) -> tuple[list[str], list[str]]:
    """Train undisturbed and with kills; return what each kill hit, and what differs at the end."""
    undisturbed, killed = new_project(folder / "undisturbed"), folder / "killed"
    encoded = run_kedro(undisturbed, "run", "--pipelines", "demo", "--to-nodes", LAST_NODE)
    assert encoded.returncode == 0, encoded.stderr
    shutil.copytree(undisturbed, killed)
    changes, rng = settings(kills), random.Random(seed)
    assert start(undisturbed, "train", changes).wait() == 0, "the undisturbed training failed"
    hits = []
    for number in range(kills):
        process = start(killed, "train", changes)
        hits.append(kill(process, killed / CHECKPOINTS, number, rng))
        if process.returncode != -9:
            raise RuntimeError(f"kill {number + 1} came too late: {process.returncode}")
        print(f"kill {number + 1} of {kills}: {hits[-1]}", flush=True)
    assert start(killed, "train", changes).wait() == 0, "the last run failed"
    return hits, differences(undisturbed / CHECKPOINTS, killed / CHECKPOINTS)


def main() -> None:
    """Train both ways, print the result, and exit with 1 if anything differs."""
    options = arguments(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        hits, different = train_both_ways(Path(folder), options.kills, options.seed)
    inside = sum(hit == "in a checkpoint" for hit in hits)
    print(f"{len(hits)} kills, {inside} of them while a checkpoint was written")
    print("differs: " + ", ".join(different) if different else "bit-identical")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
