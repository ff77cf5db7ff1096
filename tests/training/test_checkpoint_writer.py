"""Checkpoints that are written while the training goes on."""

import threading
from pathlib import Path

import pandas as pd
import pytest
import torch

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.optimisation import CheckpointSchedule
from albedo_pipeline.training.checkpoint_writer import CheckpointWriter
from albedo_pipeline.training.resume import OPTIMISER_FILE, WEIGHTS_FILE, Snapshot


class Slow(Snapshot):
    """A snapshot whose writing waits until it is let go."""

    def write(self, folder: Path) -> None:
        begun.set()
        assert let_go.wait(30)
        super().write(folder)


class Broken(Snapshot):
    """A snapshot that cannot be written."""

    def write(self, folder: Path) -> None:
        raise OSError("no space left on device")


begun, let_go = threading.Event(), threading.Event()


def snapshot(kind: type[Snapshot] = Snapshot) -> Snapshot:
    tensors = {name: {"w": torch.arange(4.0)} for name in (WEIGHTS_FILE, OPTIMISER_FILE)}
    return kind(tensors, {"state.json": "{}"}, pd.DataFrame({"step": [1]}))


@pytest.fixture
def store(tmp_path: Path) -> Checkpoints:
    """An empty folder of checkpoints."""
    begun.clear()
    let_go.clear()
    return Checkpoints(tmp_path)


def test_the_training_goes_on_while_a_checkpoint_is_written(store: Checkpoints) -> None:
    with CheckpointWriter(store, CheckpointSchedule()) as writer:
        writer.write(1, snapshot(Slow), [])
        assert begun.wait(30)
        assert store.steps() == []
        let_go.set()
        writer.finish()
        assert store.steps() == [1]


def test_one_checkpoint_is_written_at_a_time(store: Checkpoints) -> None:
    with CheckpointWriter(store, CheckpointSchedule()) as writer:
        writer.write(1, snapshot(Slow), [])
        assert begun.wait(30)
        threading.Timer(0.2, let_go.set).start()
        writer.write(2, snapshot(), [])
        assert 1 in store.steps()
    assert store.steps() == [1, 2]


def test_the_end_waits_for_the_last_checkpoint_even_after_an_error(store: Checkpoints) -> None:
    def fail_while_writing() -> None:
        with CheckpointWriter(store, CheckpointSchedule()) as writer:
            writer.write(1, snapshot(Slow), [])
            threading.Timer(0.2, let_go.set).start()
            raise RuntimeError("of the training")

    with pytest.raises(RuntimeError, match="of the training"):
        fail_while_writing()
    assert store.steps() == [1]


@pytest.mark.parametrize("next_call", ["write", "finish"])
def test_a_checkpoint_that_cannot_be_written_stops_the_training(
    store: Checkpoints, next_call: str
) -> None:
    calls = {"write": lambda: writer.write(2, snapshot(), []), "finish": lambda: writer.finish()}
    with CheckpointWriter(store, CheckpointSchedule()) as writer:
        writer.write(1, snapshot(Broken), [])
        with pytest.raises(ProjectError, match=r"step-00000001: not written \(no space left"):
            calls[next_call]()
    assert store.steps() == []


def test_older_checkpoints_may_lose_the_optimisers_state(store: Checkpoints) -> None:
    schedule = CheckpointSchedule(keep_last=1, keep_every=2, weights_only=True)
    with CheckpointWriter(store, schedule) as writer:
        for step in range(1, 6):
            writer.write(step, snapshot(), best=[1])
    assert store.steps() == [1, 2, 4, 5]
    complete = [step for step in store.steps() if (store.path(step) / OPTIMISER_FILE).exists()]
    assert complete == [5]


def test_a_snapshot_does_not_change_with_the_training(train) -> None:
    """The weights after two steps are the same bits if two more steps follow at once."""
    schedule = {"every": 1, "keep_last": 5}
    rate = {"peak": 1e-3, "decay": "constant"}
    settings = {"checkpoints": schedule, "learning_rate": rate}
    stores = [train(f"{n}", max_steps=n, **settings).store for n in (2, 4)]
    two, four = ((store.path(2) / WEIGHTS_FILE).read_bytes() for store in stores)
    assert two == four
