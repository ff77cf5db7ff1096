"""Kill a training again and again, and compare what it ends with.

    python tests/endurance/kill.py [N] [--seed S]

A small project is trained once undisturbed, and once with N SIGKILLs: by turns while it starts or
soon after, while a checkpoint is being written, and at a random moment of the training. Exits with
1 unless weights, average and optimiser state are bit-identical, and the log has the same losses.
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
TENSORS = ("weights", "ema", "optimiser")


def settings(kills: int) -> str:
    """Long enough that no life of a killed process sees the end."""
    changed = {
        "max_steps": 60 * kills,
        "checkpoints.every": 5,
        "validation.every": 50,
        "visualisation.every": 50,
        "noise.kind": "multi_resolution",
        "micro_batch_size": 2,
    }
    return ",".join(f"train.{key}={value}" for key, value in changed.items())


def kill(process: subprocess.Popen, folder: Path, number: int, chance: random.Random) -> str:
    """Kill the process at a moment of the turn's kind, and say where it was hit."""
    before = set(folder.glob("step-*"))
    if number % 3 == 0:
        time.sleep(chance.uniform(2, 8))
    else:  # let it come to a step of its own
        while process.poll() is None and set(folder.glob("step-*")) <= before:
            time.sleep(0.002)
        if number % 3 == 1:
            while process.poll() is None and not list(folder.glob(".step-*.partial")):
                pass
        time.sleep(chance.uniform(0, 0.02 if number % 3 == 1 else 1.5))
    process.kill()
    process.wait()
    return "in a checkpoint" if list(folder.glob(".step-*")) else "elsewhere"


def differences(one: Path, two: Path) -> list[str]:
    """What differs between the last checkpoints of two folders."""
    newest = [max(folder.glob("step-????????")) for folder in (one, two)]
    found = [] if newest[0].name == newest[1].name else ["step"]
    for name in TENSORS:
        files = [(folder / f"{name}.safetensors").read_bytes() for folder in newest]
        found += [] if files[0] == files[1] else [name]
    states = [json.loads((folder / "state.json").read_text())["training"] for folder in newest]
    found += [] if {**states[0], "run": ""} == {**states[1], "run": ""} else ["state"]
    logs = [pd.read_parquet(folder / "log.parquet") for folder in newest]
    names = [n for n in logs[0] if n in ("step", "loss", "grad_norm") or n.startswith("valid")]
    return found + ([] if logs[0][names].equals(logs[1][names]) else ["log"])


def killed_and_whole(folder: Path, kills: int, seed: int) -> tuple[list[str], list[str]]:
    """Train both ways; where each kill hit, and what differs at the end."""
    whole, cut = new_project(folder / "whole"), folder / "cut"
    made = run_kedro(whole, "run", "--pipelines", "demo", "--to-nodes", "encode.encode_pairs")
    assert made.returncode == 0, made.stderr
    shutil.copytree(whole, cut)
    changed, chance = settings(kills), random.Random(seed)
    undisturbed = start(whole, "train", changed).wait()
    assert undisturbed == 0, "the undisturbed training failed"
    hits = []
    for number in range(kills):
        process = start(cut, "train", changed)
        hits.append(kill(process, cut / CHECKPOINTS, number, chance))
        if process.returncode != -9:
            raise RuntimeError(f"kill {number + 1} came too late: {process.returncode}")
        print(f"kill {number + 1} of {kills}: {hits[-1]}", flush=True)
    assert start(cut, "train", changed).wait() == 0, "the last run failed"
    return hits, differences(whole / CHECKPOINTS, cut / CHECKPOINTS)


def main() -> None:
    """Run, report, and exit with 1 where anything differs."""
    given = arguments(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        hits, found = killed_and_whole(Path(folder), given.kills, given.seed)
    inside = sum(hit == "in a checkpoint" for hit in hits)
    print(f"{len(hits)} kills, {inside} of them in the writing of a checkpoint")
    print("differs: " + ", ".join(found) if found else "bit-identical to the undisturbed run")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
