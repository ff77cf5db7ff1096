"""A user's callbacks: called at the right steps, unable to change the result, named if wrong."""

import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from albedo_pipeline.errors import ProjectError
from tests.support.training import same

PAGE = Path(__file__).parents[2] / "docs" / "training.md"
RECORDER = """
import torch

calls = []

def after_step(progress):
    torch.rand(3)  # draws from the global generator change nothing
    calls.append(("step", progress))

def after_validation(progress):
    calls.append(("validation", progress))
"""


def write_module(folder: Path, name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    return name


def test_callbacks_are_called_in_order_and_leave_the_weights_as_they_are(
    train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = write_module(tmp_path, "recorder_of_calls", RECORDER, monkeypatch)
    trained = train("with", validation={"every": 2}, callbacks=[name])
    calls = __import__(name).calls
    assert [(kind, progress.step) for kind, progress in calls] == [
        ("step", 1),
        ("step", 2),
        ("validation", 2),
        ("step", 3),
        ("validation", 3),
    ]
    step, validation = calls[0][1], calls[-1][1]
    rows = trained.log.set_index("step")
    assert (step.pipeline, step.last_step, step.scores) == ("train", 3, {})
    assert step.epoch == rows.loc[1, "epoch"]
    assert step.logged["loss"] == rows.loc[1, "loss"]
    assert validation.scores["psnr"] == rows.loc[3, "validation_psnr"]
    with pytest.raises(FrozenInstanceError):
        step.step = 0
    with pytest.raises(TypeError):
        validation.scores["psnr"] = 99.0
    plain = train("without", validation={"every": 2})
    assert same(trained.store.path(3), plain.store.path(3))


def test_a_resumed_training_may_have_other_callbacks(
    train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train("run")
    name = write_module(tmp_path, "later_recorder", RECORDER, monkeypatch)
    train("run", callbacks=[name])
    assert __import__(name).calls == []


def test_the_example_of_the_docs_works(
    train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = PAGE.read_text(encoding="utf-8").split("## Your own code in a training")[1]
    (example,) = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.M)
    name = write_module(tmp_path, "my_callbacks", example, monkeypatch)
    monkeypatch.chdir(tmp_path)
    log = train("run", validation={"every": 3}, callbacks=[name]).log.set_index("step")
    expected = f"3,{log.loc[3, 'validation_psnr']:.2f}\n"
    assert (tmp_path / "scores.csv").read_text() == expected


def test_an_error_of_a_callback_stops_the_training(
    train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "def after_step(progress):\n    raise RuntimeError('full disk')\n"
    name = write_module(tmp_path, "failing_callback", text, monkeypatch)
    with pytest.raises(RuntimeError, match="full disk"):
        train("run", callbacks=[name])


def test_a_module_that_cannot_be_used_is_named_with_its_key(
    train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ProjectError, match=r"train\.callbacks: no_such: No module named 'no_such'"):
        train("run", callbacks=["no_such"])
    name = write_module(tmp_path, "without_hooks", "x = 1\n", monkeypatch)
    with pytest.raises(ProjectError, match="defines neither after_step nor after_validation"):
        train("run", callbacks=[name])
    assert not (tmp_path / "run").exists()
