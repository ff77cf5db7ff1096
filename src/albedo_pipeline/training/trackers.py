"""TensorBoard, and Weights & Biases on request, through Accelerate's trackers."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from accelerate import Accelerator
from accelerate.tracking import GeneralTracker, TensorBoardTracker, WandBTracker

from albedo_pipeline.errors import ProjectError

_FLUSH_EVERY = 10
"""Seconds until a logged value is in the file, where TensorBoard and the app can see it."""


def start_trackers(
    accelerator: Accelerator,
    folder: Path,
    run: str,
    step: int,
    wandb_project: str | None,
    settings_path: str = "train",
) -> None:
    """Start a run, or continue it after `step`; events that were logged after that are hidden.

    Raises:
        ProjectError: if Weights & Biases is asked for and not installed.
    """
    purge = step + 1 if step else None
    trackers: list[GeneralTracker] = [
        TensorBoardTracker(run, str(folder), purge_step=purge, flush_secs=_FLUSH_EVERY)
    ]
    if wandb_project is not None:
        if not find_spec("wandb"):
            raise ProjectError(f"{settings_path}.weights_and_biases: needs 'pip install wandb'")
        trackers.append(WandBTracker(wandb_project, id=run, name=run, resume="allow"))
    accelerator.log_with = trackers
    accelerator.init_trackers(wandb_project or run)


def track_image(accelerator: Accelerator, name: str, image: np.ndarray, step: int) -> None:
    """Log an image, uint8 [H, W, 3]."""
    for tracker in accelerator.trackers:
        layout = {"dataformats": "NHWC"} if tracker.name == "tensorboard" else {}
        tracker.log_images({name: image[None]}, step=step, **layout)


def track_text(accelerator: Accelerator, name: str, text: str, step: int) -> None:
    """Log a text to TensorBoard as a block of code, because TensorBoard reads texts as Markdown."""
    if accelerator.is_main_process:
        verbatim = f"```\n{text}\n```"
        accelerator.get_tracker("tensorboard", unwrap=True).add_text(name, verbatim, step)
