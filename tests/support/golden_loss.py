"""The training whose loss curve is `tests/training/golden_loss.json`.

To check that a refactor changes nothing, print the curve before and after it on one machine, and
compare the two files. The numbers are written in full, so equal text means equal bits:

    PYTHONPATH=src:. OMP_NUM_THREADS=1 python -m tests.support.golden_loss > before.json
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import torch

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.params import TrainParams
from albedo_pipeline.training.denoiser import train_denoiser
from tests.support.training import SETTINGS, save_images, save_latents

GOLDEN_SETTINGS = {
    "max_steps": 12,
    "effective_batch_size": 6,
    "micro_batch_size": 3,
    "noise": {"kind": "multi_resolution"},
    "learning_rate": {"peak": 3e-3, "warmup_steps": 3, "decay": "cosine"},
}
"""Changes to the settings of the small training in `tests.support.training`."""


def curve(log: pd.DataFrame) -> dict[str, list[float]]:
    """Loss and gradient norm of every step."""
    return {name: log[name].tolist() for name in ("loss", "grad_norm")}


def curve_of_another_process() -> dict[str, list[float]]:
    """The golden curve, computed in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Train with the golden settings, and print the curve as one line of JSON."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as name:
        folder = Path(name)
        latents = save_latents(folder / "latents", 12)
        images = save_images(folder)
        params = TrainParams.model_validate(SETTINGS | GOLDEN_SETTINGS)
        store = Checkpoints(folder / "golden")
        log = train_denoiser({"latents": latents}, images, params, store, folder / "events").log
    print(json.dumps(curve(log)))


if __name__ == "__main__":
    main()
