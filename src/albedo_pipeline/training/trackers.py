"""TensorBoard, and Weights & Biases on request, through Accelerate's trackers."""

import json
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import Accelerator
from accelerate.tracking import GeneralTracker, TensorBoardTracker, WandBTracker

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.optimisation import WeightsAndBiases

_FLUSH_EVERY = 10
"""Seconds until a logged value is in the file, where TensorBoard and the app can see it."""
_FIRST = ("effective_batch_size", "learning_rate.peak", "max_steps", "objective", "optimiser.name")
"""Settings that the tab HPARAMS shows first: it shows those that differ, and at most five."""


def start_trackers(
    accelerator: Accelerator,
    folder: Path,
    run: str,
    step: int,
    wandb: WeightsAndBiases | None,
    settings: dict[str, Any],
    settings_path: str = "train",
) -> None:
    """Start a run, or continue it after `step`; events that were logged after that are hidden.

    Args:
        accelerator: of this process.
        folder: folder of the TensorBoard runs.
        run: name of the run.
        step: number of optimiser steps done.
        wandb: project of Weights & Biases; None if nothing is sent.
        settings: settings of the run by dotted key, for Weights & Biases.
        settings_path: key of the training's settings, for errors.

    Raises:
        ProjectError: if Weights & Biases is asked for and not installed.
    """
    purge = step + 1 if step else None
    trackers: list[GeneralTracker] = [
        TensorBoardTracker(run, str(folder), purge_step=purge, flush_secs=_FLUSH_EVERY)
    ]
    if wandb is not None:
        if not find_spec("wandb"):
            raise ProjectError(f"{settings_path}.weights_and_biases: needs 'pip install wandb'")
        trackers.append(
            WandBTracker(
                wandb.project,
                entity=wandb.entity,
                id=run,
                name=run,
                config=settings,
                resume="allow",
            )
        )
    accelerator.log_with = trackers
    accelerator.init_trackers(wandb.project if wandb else run)


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


def track_settings(
    accelerator: Accelerator, settings: dict[str, Any], scores: Iterable[str]
) -> None:
    """Show settings and the newest scores in TensorBoard's tab HPARAMS.

    The writer's own `add_hparams` is not used, because it begins another run.

    Args:
        accelerator: of this process.
        settings: by dotted key; null is left out.
        scores: tags of the scalars that are shown beside the settings.
    """
    if not accelerator.is_main_process:
        return
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
    from torch.utils.tensorboard.summary import hparams

    shown = {key: _shown(value) for key, value in settings.items() if value is not None}
    experiment, start, _end = hparams(shown, dict.fromkeys(scores))
    plugin = experiment.value[0].metadata.plugin_data
    content = HParamsPluginData.FromString(plugin.content)
    for info in content.experiment.hparam_infos:
        info.differs = info.name in _FIRST
    plugin.content = content.SerializeToString()
    writer = accelerator.get_tracker("tensorboard", unwrap=True).file_writer
    writer.add_summary(experiment)
    writer.add_summary(start)


def _shown(value: Any) -> float | str:
    """A number or a text: what TensorBoard can show of a setting."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number or isinstance(value, str) else json.dumps(value)
