"""What is due after an optimiser step, and which checkpoints are kept: functions of the settings
and the state of the training, and of the clock."""

import time
from collections.abc import Callable

from albedo_pipeline.params.optimisation import CheckpointSchedule
from albedo_pipeline.params.training_loop import TrainingLoop
from albedo_pipeline.training.resume import TrainState


def is_finished(state: TrainState, last_step: int) -> bool:
    """Whether no optimiser step is left to do."""
    return state.step >= last_step or state.plateau.ended


def is_due(every: int | None, step: int, last_step: int) -> bool:
    """Whether something with the period `every` is due after `step` steps; None is never.

    At the last step everything that has a period is due.
    """
    return every is not None and (step % every == 0 or step == last_step)


def validation_is_due(params: TrainingLoop, state: TrainState, last_step: int) -> bool:
    """Whether a validation is due that is not yet done."""
    step, validation = state.step, params.validation
    due = is_due(validation.every, step, last_step) if step else validation.at_start
    return validation.every is not None and due and state.validated != step


def visualisation_is_due(params: TrainingLoop, state: TrainState, last_step: int) -> bool:
    """Whether a grid of samples is due that is not yet drawn."""
    due = state.step > 0 and is_due(params.visualisation.every, state.step, last_step)
    return due and state.visualised != state.step


def checkpoint_is_due(params: TrainingLoop, state: TrainState, last_step: int) -> bool:
    """Whether a checkpoint is due: by its period, as one of the best, or at the training's end."""
    step, periods = state.step, (params.checkpoints.every, params.checkpoints.keep_every)
    is_best = any(step == best for best, _ in state.best)
    due = step > 0 and any(is_due(every, step, last_step) for every in periods)
    return is_best or state.plateau.ended or due


class Interval:
    """Whether a number of minutes has passed since the last restart."""

    def __init__(self, minutes: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the interval.

        Args:
            minutes: its length; None never passes.
            clock: gives the time, seconds.
        """
        self.is_set = minutes is not None
        """Whether it can pass at all."""
        self._seconds, self._clock = 60 * (minutes or 0.0), clock
        self._start = clock()

    def passed(self) -> bool:
        """Whether it is over."""
        return self.is_set and self._clock() - self._start >= self._seconds

    def restart(self) -> None:
        """Start it again."""
        self._start = self._clock()


def counts_for_plateau(params: TrainingLoop, step: int) -> bool:
    """Whether a validation after `step` steps may reduce the learning rate.

    The extra validation at the last step does not count, because a longer training lacks it.
    """
    every = params.validation.every
    is_regular = every is not None and step > 0 and step % every == 0
    return params.learning_rate.decay == "plateau" and is_regular


def ranked(candidates: list[tuple[int, float]], higher_is_better: bool) -> list[tuple[int, float]]:
    """Steps and values of the validation metric, best first; of equal values the earlier first."""
    sign = -1 if higher_is_better else 1
    return sorted(candidates, key=lambda item: sign * item[1])


def kept_steps(steps: list[int], best: list[int], schedule: CheckpointSchedule) -> set[int]:
    """Steps of the checkpoints that are kept: the last, the best, and every n-th.

    Args:
        steps: steps of all checkpoints, rising.
        best: steps of the best checkpoints.
    """
    every = schedule.keep_every
    return {
        *steps[-schedule.keep_last :],
        *best,
        *(step for step in steps if every and step % every == 0),
    }
