"""Settings that the trainings of denoiser and autoencoder share: the loop, and what it writes."""

import math
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.base import Params
from albedo_pipeline.params.optimisation import (
    CheckpointSchedule,
    Ema,
    Execution,
    LearningRate,
    Optimiser,
    ValidationSchedule,
    Visualisation,
    WeightsAndBiases,
)

# These change when something happens, or how fast, but not the weights at a step.
_MAY_DIFFER_ON_RESUME = (
    "micro_batch_size",
    "max_steps",
    "max_epochs",
    "exit_after_minutes",
    "device",
    "cache",
    "execution",
    "max_skipped_in_a_row",
    "log_every",
    "log_gradients_every",
    "checkpoints",
    "validation",
    "visualisation",
    "run_name",
    "weights_and_biases",
    "callbacks",
    "output",
    "resume_from",
    "on_mismatch",
    "on_code_change",
)


class TrainingLoop(Params):
    """How a network is trained, whatever it learns."""

    pipeline: ClassVar[str]
    """Name of the pipeline that trains, for log lines."""
    settings_path: ClassVar[str]
    """Where these settings are in the parameters, for errors."""
    adoptable: ClassVar[tuple[str, ...]] = (
        "seed",
        "effective_batch_size",
        "optimiser.betas",
        "optimiser.eps",
        "optimiser.options",
        "optimiser.weight_decay",
        "optimiser.groups",
        "learning_rate",
        "max_grad_norm",
        "ema",
        "validation",
        "data",
    )
    """Keys of `result_settings`, or of groups of them, that `on_mismatch: adopt` may change. All
    others say what the stored weights are weights of."""

    run_name: str | None = Field(None, pattern=r"^\w[\w.-]*$", max_length=64)
    """Name of the run in TensorBoard, Weights & Biases, log, record and report, which the date and
    time of its start follow; letters, digits, `_`, `-` and `.`. Null: the objective, or
    `autoencoder`. A resumed run keeps its name."""
    seed: int = Field(2024, ge=0, lt=2**63)
    """Seed of everything random in the training: sample order, augmentation, noise, and the weights
    of a model from scratch."""
    effective_batch_size: int = Field(ge=1)
    """Number of samples in one optimiser step, over all processes."""
    max_steps: int | None = Field(None, ge=1)
    """Optimiser steps after which the training ends; null: `max_epochs` alone ends it."""
    max_epochs: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Passes over the training samples after which the training ends; null: `max_steps` alone ends
    it."""
    exit_after_minutes: float | None = Field(None, gt=0)
    """Minutes after which the training pauses with exit code 75; null: it does not pause."""
    optimiser: Optimiser = Optimiser()
    """The optimiser."""
    learning_rate: LearningRate
    """The learning rate."""
    max_grad_norm: float = Field(1.0, gt=0)
    """Norm to which larger gradients are clipped."""
    max_skipped_in_a_row: int = Field(20, ge=1)
    """Number of steps in a row that are skipped, because loss or gradient is not finite, before the
    run stops."""
    ema: Ema = Ema()
    """The moving average of the weights."""
    execution: Execution = Execution()
    """How the steps are computed."""
    log_every: int = Field(10, ge=1)
    """Optimiser steps between two rows of the log, which has the mean loss of these steps."""
    log_gradients_every: int | None = Field(None, ge=1)
    """Optimiser steps between two tables of the largest gradients; null: no tables."""
    checkpoints: CheckpointSchedule = CheckpointSchedule()
    """When checkpoints are written, and which of them are kept."""
    validation: ValidationSchedule = ValidationSchedule()
    """When and how validation samples are scored."""
    visualisation: Visualisation = Visualisation()
    """When validation samples are shown as images."""
    weights_and_biases: WeightsAndBiases | None = None
    """Project of Weights & Biases that the log is sent to; null: nothing is sent."""
    callbacks: tuple[str, ...] = ()
    """Modules of your own, by dotted path, whose functions `after_step` and `after_validation` are
    called with the progress of the training. They cannot change the result."""
    output: Literal["last", "best"] = "last"
    """Which checkpoint's averaged (EMA) weights become the result."""
    resume_from: Annotated[int, Field(ge=1)] | str | None = None
    """Checkpoint to resume from: the number of its optimiser step, or its folder; newer checkpoints
    are moved aside. Null: the newest undamaged one."""
    on_mismatch: Literal["stop", "restart", "adopt"] = "stop"
    """What happens if there are checkpoints that were trained with other settings: `stop` stops the
    run with an error, `restart` moves them aside and trains from step 0, `adopt` goes on from the
    checkpoint with the new settings and records the change."""
    on_code_change: Literal["continue", "restart"] = "continue"
    """What happens if there are checkpoints that were trained with other code of this project:
    `continue` resumes from them, `restart` moves them aside and trains from step 0."""

    @model_validator(mode="after")
    def _loop_settings_agree(self) -> Self:
        if self.max_steps is None and self.max_epochs is None:
            raise ValueError("set max_steps, max_epochs, or both")
        if self.validation.every is None and self.learning_rate.decay == "plateau":
            raise ValueError("learning_rate.decay 'plateau' needs validation.every")
        if self.validation.every is None and self.output == "best":
            raise ValueError("output 'best' needs validation.every")
        if self.output == "best" and not self.checkpoints.keep_best:
            raise ValueError("output 'best' needs checkpoints.keep_best of at least 1")
        if self.resume_from is not None and "restart" in (self.on_mismatch, self.on_code_change):
            raise ValueError(
                "resume_from goes on from a checkpoint, and 'restart' begins at step 0; set "
                "on_mismatch to 'stop' or 'adopt', and on_code_change to 'continue'"
            )
        return self

    @property
    def micro_batch_size_as_number(self) -> int:
        """Largest number of samples that a process computes at a time."""
        raise NotImplementedError

    @property
    def default_run_name(self) -> str:
        """Name of the run if `run_name` is null."""
        return self.pipeline

    def last_step(self, samples: int) -> int:
        """Number of optimiser steps of the training if an epoch has `samples` samples."""
        limits = [self.max_steps or math.inf]
        if self.max_epochs is not None:
            limits.append(math.ceil(self.max_epochs * samples / self.effective_batch_size))
        return int(max(1, min(limits)))

    def kept_settings(self, last_step: int) -> dict[str, Any]:
        """The settings without those that do not decide the weights at each step; nested."""
        settings = self.model_dump(mode="json")
        kept = {key: value for key, value in settings.items() if key not in _MAY_DIFFER_ON_RESUME}
        kept["optimiser"] = self.optimiser.result_settings()
        rate = kept["learning_rate"]
        if rate["decay"] == "plateau":
            kept["validation"] = self.validation.result_settings()
        else:
            del rate["plateau"]
        if rate["decay"] in ("exponential", "cosine"):
            rate["decay_steps"] = rate["decay_steps"] or last_step
        else:
            del rate["decay_steps"], rate["final_ratio"]
        del kept["ema"]["decay" if self.ema.profile == "power" else "relative_width"]
        return kept

    def result_settings(self, last_step: int) -> dict[str, Any]:
        """The settings that decide the weights at each step, by dotted key."""
        return flat(self.kept_settings(last_step))


def weight_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Of a training's settings, as `train_settings.json` has them, those that decide the finished
    weights."""
    end = ("max_steps", "max_epochs", "output")
    return {k: v for k, v in settings.items() if k not in _MAY_DIFFER_ON_RESUME or k in end}


def flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one dictionary with dotted keys; lists are values."""
    items: dict[str, Any] = {}
    for key, value in settings.items():
        nested = isinstance(value, dict)
        items |= flat(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return items
