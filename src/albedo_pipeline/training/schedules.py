"""The learning rate of a step, and its reductions after validations."""

import math
from dataclasses import dataclass, replace

from albedo_pipeline.params.optimisation import LearningRate, Plateau
from albedo_pipeline.params.varying import Varying


def learning_rate_factor(
    step: int, decay_steps: int, warmup_steps: int, decay: str, final_ratio: float
) -> float:
    """Factor of the peak learning rate at `step` (0-based).

    Linear warm-up over `warmup_steps`, then `exponential` (geometric) or `cosine` decay that
    reaches `final_ratio` at step `decay_steps` - 1 and stays there. With any other `decay` the
    factor is 1 after the warm-up.
    """
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    share = min(1.0, (step - warmup_steps) / max(1, decay_steps - 1 - warmup_steps))
    if decay == "exponential":
        return final_ratio**share
    if decay == "cosine":
        return final_ratio + (1 - final_ratio) * (1 + math.cos(math.pi * share)) / 2
    return 1.0


def value_at(setting: Varying, step: int) -> float:
    """Value of a setting at `step` (0-based).

    A number stays as it is. `(start_step, start, end, end_step)` is `start` until `start_step`,
    then a straight line to `end` at `end_step`, and `end` from there on.
    """
    if not isinstance(setting, tuple):
        return setting
    start_step, start, end, end_step = setting
    share = (step - start_step) / (end_step - start_step)
    return start + (end - start) * min(max(share, 0.0), 1.0)


@dataclass(frozen=True)
class PlateauState:
    """State of the reduce-on-plateau schedule between two validations."""

    best: float | None = None
    """Best value of the validation metric so far."""
    waited: int = 0
    """Number of validations since the metric improved."""
    reductions: int = 0
    """Number of times the learning rate was reduced."""
    ended: bool = False
    """Whether the training ends because a reduction was due after the last allowed one."""


def after_validation(
    state: PlateauState, value: float, higher_is_better: bool, params: Plateau
) -> PlateauState:
    """The state after a validation that gave `value`."""
    sign = 1 if higher_is_better else -1
    if state.best is None or sign * (value - state.best) > params.min_delta:
        return replace(state, best=value, waited=0)
    if state.waited < params.patience:
        return replace(state, waited=state.waited + 1)
    if state.reductions == params.max_reductions:
        return replace(state, waited=0, ended=True)
    return replace(state, waited=0, reductions=state.reductions + 1)


def learning_rate(
    params: LearningRate, step: int, last_step: int, plateau: PlateauState | None = None
) -> float:
    """Learning rate of step `step` (0-based) in a training of `last_step` steps."""
    factor = learning_rate_factor(
        step,
        params.decay_steps or last_step,
        params.warmup_steps,
        params.decay,
        params.final_ratio,
    )
    if params.decay == "plateau" and plateau is not None:
        factor *= params.plateau.factor**plateau.reductions
    return params.peak * factor
