"""A pause by a signal or a time limit loses nothing."""

import os
import signal
from pathlib import Path

import pandas as pd
import pytest

from albedo_pipeline.training.stopping import Paused, StopRequest
from tests.support.training import LONG, OBJECTIVES, call_in_step, same


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_in_a_step_pauses_and_the_next_run_resumes(
    train, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    whole = train("whole", **LONG)
    before = signal.getsignal(number)
    with monkeypatch.context() as patch:
        call_in_step(patch, 4, lambda: os.kill(os.getpid(), number))
        with pytest.raises(Paused) as paused:
            train("cut", **LONG)
    assert paused.value.code == 75
    assert signal.getsignal(number) is before
    cut = train("cut", **LONG)
    assert 5 in cut.store.steps()  # the step was finished, and an extra checkpoint written
    assert same(whole.store.path(10), cut.store.path(10))
    pd.testing.assert_series_equal(whole.log["loss"], cut.log["loss"])


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_resumes_bit_for_bit(
    train, monkeypatch: pytest.MonkeyPatch, objective: str
) -> None:
    settings = LONG | OBJECTIVES[objective]
    whole = train("whole", **settings)
    with monkeypatch.context() as patch:
        call_in_step(patch, 4, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(Paused):
            train("cut", **settings)
    cut = train("cut", **settings)
    assert same(whole.store.path(10), cut.store.path(10))
    pd.testing.assert_series_equal(whole.log["loss"], cut.log["loss"])


def test_a_second_sigint_interrupts_at_once() -> None:
    stop = StopRequest(None)
    with stop.listening():
        os.kill(os.getpid(), signal.SIGINT)
        assert stop()
        assert stop.reason == "SIGINT"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.slow
def test_a_time_limit_pauses_and_the_next_run_resumes(train) -> None:
    settings = LONG | {"max_steps": 400, "checkpoints": {"every": 100}}
    with pytest.raises(Paused) as paused:
        train("cut", **settings, exit_after_minutes=1 / 60)
    assert paused.value.code == 75
    cut = train("cut", **settings)
    assert cut.store.steps()[-1] == 400
    assert same(train("whole", **settings).store.path(400), cut.store.path(400))


def test_a_time_limit_that_has_passed_makes_no_step_and_no_checkpoint(
    train, tmp_path: Path
) -> None:
    with pytest.raises(Paused):
        train("cut", **LONG, exit_after_minutes=1e-9)
    assert not list((tmp_path / "cut").glob("step-*"))
