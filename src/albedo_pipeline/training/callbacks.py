"""A user's own functions that the training calls after a step and after a validation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Self

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.params.training_loop import TrainingLoop

HOOKS = ("after_step", "after_validation")
"""Names of the functions that a module of callbacks may define."""


@dataclass(frozen=True)
class Progress:
    """What a callback is told: numbers that it cannot change, so that the result stays the same."""

    pipeline: str
    """`train` or `autoencoder`."""
    step: int
    """Number of optimiser steps done."""
    last_step: int
    """Number of optimiser steps of the training."""
    epoch: float
    """Passes over the training samples so far."""
    logged: Mapping[str, float]
    """Scalars of the newest log point, such as `loss` and `learning_rate`; empty before the first
    one of this run."""
    scores: Mapping[str, float]
    """Mean scores of the validation by name; empty after a step."""


Callback = Callable[[Progress], None]


@dataclass(frozen=True)
class Callbacks:
    """The functions of the modules that the setting `callbacks` names, in its order."""

    after_step: tuple[Callback, ...] = ()
    """Called after each optimiser step."""
    after_validation: tuple[Callback, ...] = ()
    """Called after each complete validation."""

    @classmethod
    def named_in(cls, params: TrainingLoop) -> Self:
        """Import the modules that `params.callbacks` names.

        Raises:
            ProjectError: if a module cannot be imported, or defines no callback.
        """
        found: dict[str, list[Callback]] = {hook: [] for hook in HOOKS}
        for path in params.callbacks:
            key = f"{params.settings_path}.callbacks: {path}"
            try:
                module = import_module(path)
            except ImportError as error:
                raise ProjectError(f"{key}: {one_line(error)}") from error
            functions = {hook: getattr(module, hook) for hook in HOOKS if hasattr(module, hook)}
            if not functions:
                raise ProjectError(f"{key}: defines neither {' nor '.join(HOOKS)}")
            for hook, function in functions.items():
                found[hook].append(function)
        return cls(**{hook: tuple(functions) for hook, functions in found.items()})
