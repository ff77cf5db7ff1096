"""The training tab: it shows a real training, and its button pauses it without loss."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from albedo_pipeline.app.training_status import Status, Training, TrainingWatch
from albedo_pipeline.app.training_tab import state_text
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params import AppParams
from albedo_pipeline.training.stopping import Paused
from tests.support.app import served
from tests.support.browser import CHROMIUM, visit
from tests.support.training import LONG, call_in_step, same

SETTINGS = LONG | {"log_every": 2, "validation": {"every": 2}, "visualisation": {"every": 2}}


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_button_pauses_a_real_training_which_resumes_bit_for_bit(
    train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train("whole", **SETTINGS)
    folders = (tmp_path / "cut", tmp_path / "events")
    watch = TrainingWatch(Training("train", *folders))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "files"))

    def pause() -> None:
        """In the browser, while the training waits in its fifth step."""
        address = served(tmp_path / "app", AppParams(), trainings={"train": folders})
        with address as url, visit(url, shown="#predict") as seen:
            seen.page.get_by_role("tab", name="Training").click()
            state = seen.page.locator("#training-state")
            state.get_by_text(f"Running, process {os.getpid()}").wait_for()
            assert "of 10" in state.inner_text()
            seen.page.locator("#pause").click()
            seen.page.get_by_text("was asked to pause").wait_for()
            assert seen.outside() == []
            assert seen.complaints == []

    with monkeypatch.context() as patch:
        call_in_step(patch, 4, pause)
        with pytest.raises(Paused):
            train("cut", **SETTINGS)
    status = watch.status()
    assert (status.process, status.last_step, status.remaining) == (None, 10, None)
    assert status.step == 4
    assert status.loss["step"].to_list() == [2, 4]
    assert status.loss["loss"].to_list() == pytest.approx(whole.log["loss"].dropna().to_list()[:2])
    assert "psnr" in status.scores
    assert status.picture == tmp_path / "cut/samples/step-00000004.png"
    with pytest.raises(ProjectError, match="no training runs"):
        watch.pause()
    cut = train("cut", **SETTINGS)
    assert 5 in cut.store.steps()
    assert same(whole.store.path(10), cut.store.path(10))
    assert watch.status().step == 10


def test_the_remaining_time_counts_from_the_last_log_point(tmp_path: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    from albedo_pipeline.runtime.locks import locked

    folders = (tmp_path / "checkpoints", tmp_path / "events")
    (folders[0] / "runs").mkdir(parents=True)
    (folders[0] / "runs/20310203-040506-1.json").write_text(
        '{"last_step": 100, "configuration": {"effective_batch_size": 8}}'
    )
    with SummaryWriter(str(folders[1] / "run")) as writer:
        writer.add_scalar("loss/total", 0.5, 40, walltime=1000)
        writer.add_scalar("usage/samples_per_second", 4.0, 40, walltime=1000)
    watch = TrainingWatch(Training("train", *folders))
    assert watch.status(now=1010).remaining is None
    with locked(folders[0], "another training"):
        assert watch.status(now=1010).remaining == timedelta(seconds=60 * 8 / 4 - 10)
        assert watch.status(now=9999).remaining == timedelta(0)
        assert watch.status().process == os.getpid()


def test_a_training_that_never_ran_has_an_empty_status(tmp_path: Path) -> None:
    status = TrainingWatch(Training("train", tmp_path / "a", tmp_path / "b")).status()
    assert (status.process, status.step, status.scores, status.picture) == (None, 0, {}, None)
    assert len(status.loss) == 0


@pytest.mark.parametrize(
    ("status", "is_asked", "text"),
    [
        (Status(), False, "No training runs. Start one with kedro run --pipelines train."),
        (Status(None, 1000), False, "Not running. Step 1,000."),
        (Status(None, 1000, 1000), False, "Finished. Step 1,000 of 1,000."),
        (
            Status(None, 5, 10),
            False,
            "Not running; paused, or stopped by an error. Step 5 of 10.",
        ),
        (
            Status(7, 5, 10, 31.26, timedelta(minutes=95)),
            False,
            "Running, process 7. Step 5 of 10, 31.3 samples per second, 1 h 35 min left.",
        ),
        (
            Status(7, 5, 10, 31.26, timedelta(seconds=20)),
            True,
            "Pausing, process 7. Step 5 of 10, 31.3 samples per second.",
        ),
        (Status(7), False, "Running, process 7. Step 0."),
    ],
)
def test_the_state_is_one_sentence(status: Status, is_asked: bool, text: str) -> None:
    assert state_text("train", status, is_asked) == text
