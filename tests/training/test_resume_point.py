"""Trainings that are steered: resumed from a chosen checkpoint, or with other settings."""

import json
import logging
from pathlib import Path

import pytest

from albedo_pipeline.artifacts.checkpoints import Checkpoints, read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.training import trainer
from albedo_pipeline.training.resume import TrainState
from albedo_pipeline.training.resume_point import ResumePoint, Steering, steered
from albedo_pipeline.training.schedules import PlateauState
from tests.support.training import LONG, decaying_at, same

SLOW = {"peak": 5e-4, "warmup_steps": 1, "decay_steps": 10}
PEAK = {"train.learning_rate.peak": [0.001, 0.0005]}


def history(folder: Path) -> list[dict]:
    return read_json(folder, "state.json")["training"]["history"]


def moved_aside(store: Checkpoints) -> list[Path]:
    return sorted(store.folder.parent.glob(f"{store.folder.name}-*"))


def test_a_chosen_step_goes_on_with_another_learning_rate(
    train, caplog: pytest.LogCaptureFixture
) -> None:
    settings = LONG | {"resume_from": 4, "learning_rate": SLOW}
    plain = LONG | {"learning_rate": decaying_at(10)}
    store = train("run", **plain).store
    with pytest.raises(ProjectError, match=r"learning_rate\.peak: 0\.001 there, 0\.0005 here"):
        train("run", **settings)
    assert (store.steps(), moved_aside(store)) == ([2, 4, 6, 8, 10], [])
    with caplog.at_level(logging.INFO):
        done = train("run", **settings, on_mismatch="adopt")
    assert "adopted after step 4: train.learning_rate.peak: 0.001 there, 0.0005" in caplog.text
    expected = [{"step": 4, "resumed_from": "step-00000004", "changes": PEAK}]
    assert history(store.path(10)) == done.history == expected
    records = [json.loads(p.read_text()) for p in sorted((store.folder / "runs").glob("*.json"))]
    assert expected in [record["history"] for record in records]
    rates = dict(zip(done.log["step"], done.log["learning_rate"], strict=True))
    assert rates[3] > 5e-4 > rates[6]
    (aside,) = moved_aside(store)
    assert Checkpoints(aside).steps() == [6, 8, 10]
    assert [len(history(store.path(step))) for step in store.steps()] == [0, 0, 1, 1, 1]


@pytest.mark.slow
def test_the_course_decides_the_weights(train, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that is steered and killed gives the same bits when it is run again."""
    steering = LONG | {"resume_from": 4, "learning_rate": SLOW, "on_mismatch": "adopt"}
    for name in ("one", "two"):
        train(name, **LONG | {"learning_rate": decaying_at(10)})
    one = train("one", **steering).store
    with monkeypatch.context() as patch:

        def interrupted(self, *arguments):
            if self.state.step == 7:
                raise KeyboardInterrupt
            return step(self, *arguments)

        step = trainer.Trainer._step
        patch.setattr(trainer.Trainer, "_step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train("two", **steering)
    two = train("two", **steering).store
    assert len(moved_aside(two)) == 1
    assert same(one.path(10), two.path(10))


def test_a_training_goes_on_from_a_checkpoint_of_another_one(train) -> None:
    other = train("other", **LONG | {"learning_rate": decaying_at(10)})
    folder = other.store.path(4)
    settings = LONG | {"learning_rate": decaying_at(10), "resume_from": str(folder)}
    run = train("run", **settings)
    (entry,) = run.history
    assert entry == {"step": 4, "resumed_from": str(folder), "changes": {}}
    for name in ("weights", "ema", "optimiser"):
        files = [store.path(10) / f"{name}.safetensors" for store in (run.store, other.store)]
        assert files[0].read_bytes() == files[1].read_bytes()
    assert run.store.steps() == [6, 8, 10]
    train("run", **settings)  # finished
    assert moved_aside(run.store) == []


def test_a_larger_batch_and_a_longer_decay_are_adopted(train) -> None:
    train("run")
    adopt = {"max_steps": 5, "effective_batch_size": 6, "micro_batch_size": 3}
    done = train("run", **adopt, on_mismatch="adopt")
    assert done.store.steps()[-1] == 5
    changes = {
        "train.effective_batch_size": [4, 6],
        "train.learning_rate.decay_steps": [3, 5],
    }
    assert done.history == [{"step": 3, "resumed_from": "step-00000003", "changes": changes}]
    again = train("run", **adopt)  # the settings are now those of the checkpoint
    assert again.history == done.history


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"lora": {"rank": 2}}, r"train\.frozen_weights"),
        ({"noise_schedule": {"prediction_type": "epsilon"}}, r"noise_schedule\.prediction_type"),
    ],
)
def test_what_the_weights_do_not_fit_is_not_adopted(train, changes: dict, named: str) -> None:
    store = train("run").store
    with pytest.raises(ProjectError, match=rf"cannot be adopted.*{named}.*on_mismatch=restart"):
        train("run", **changes, on_mismatch="adopt")
    assert store.steps() == [3]


def test_checkpoints_that_cannot_be_resumed_from_are_named(train, tmp_path: Path) -> None:
    settings = LONG | {"checkpoints": {"every": 2, "keep_last": 1, "keep_every": 4}}
    store = train("run", **settings, **{}).store
    with pytest.raises(ProjectError, match=r"resume_from: .*step-00000005 is no .*: 4, 8, 10$"):
        train("run", **settings, resume_from=5)
    (store.path(8) / "weights.safetensors").write_bytes(b"not what was written")
    with pytest.raises(ProjectError, match=r"step-00000008 is damaged \("):
        train("run", **settings, resume_from=8)
    store.leave_out(4, "optimiser.safetensors")
    with pytest.raises(ProjectError, match=r"step-00000004 has no optimiser\.safetensors"):
        train("run", **settings, resume_from=str(store.path(4)))
    assert moved_aside(store) == []


def test_restart_and_a_chosen_checkpoint_do_not_agree(train_params) -> None:
    for key in ("on_mismatch", "on_code_change"):
        with pytest.raises(ValueError, match="resume_from goes on from a checkpoint"):
            train_params(resume_from=4, **{key: "restart"})


def test_another_learning_rate_begins_the_plateaus_again() -> None:
    state = TrainState(
        "old", 5, best=[(2, 1.0), (4, 2.0)], plateau=PlateauState(reductions=3, ended=True)
    )
    checkpoint = Path("step-00000005")
    rate = steered(state, ResumePoint(checkpoint, Steering(5, checkpoint.name, PEAK)))
    assert (rate.plateau, rate.run, rate.best) == (PlateauState(), "old", state.best)
    batch = Steering(5, checkpoint.name, {"train.effective_batch_size": [4, 8]})
    branch = steered(state, ResumePoint(checkpoint, batch, "new", (4, 5)))
    assert (branch.plateau, branch.run, branch.best) == (state.plateau, "new", [(4, 2.0)])
    assert branch.history == [batch]
