"""Learning-rate schedules: pure functions of the step, and of the validations so far."""

import math
from dataclasses import dataclass, replace

from albedo_pipeline.params.optimisation import LearningRate, Plateau


def learning_rate_factor(
    step: int, decay_steps: int, warmup_steps: int, decay: str, final_ratio: float
) -> float:
    """Factor of the peak learning rate at `step` (0-based).

    Linear warm-up over `warmup_steps`, then `exponential` (geometric) or `cosine` decay that
    reaches `final_ratio` at step `decay_steps` - 1 and stays there; any other `decay`: 1.
    """
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    share = min(1.0, (step - warmup_steps) / max(1, decay_steps - 1 - warmup_steps))
    if decay == "exponential":
        return final_ratio**share
    if decay == "cosine":
        return final_ratio + (1 - final_ratio) * (1 + math.cos(math.pi * share)) / 2
    return 1.0


@dataclass(frozen=True)
class PlateauState:
    """What reduce-on-plateau remembers between two validations."""

    best: float | None = None
    """Of the validation metric."""
    waited: int = 0
    """Validations since it improved."""
    reductions: int = 0
    ended: bool = False
    """One more reduction was due than there may be."""


def after_validation(
    state: PlateauState, value: float, higher_is_better: bool, params: Plateau
) -> PlateauState:
    """The state after one more validation gave `value`."""
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
    """Learning rate of a step (0-based) of a training of `last_step` steps."""
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
