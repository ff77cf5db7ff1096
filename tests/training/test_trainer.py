"""The training loop: skipped steps, and algorithms that are asked for."""

from pathlib import Path

import pytest
import torch

from albedo_pipeline.artifacts.models import DenoiserDataset
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.training import task
from tests.support.training import save_latents


def test_steps_without_a_finite_gradient_are_skipped_and_named(
    train, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt = save_latents(tmp_path / "spoilt", 12, spoilt=(5,))
    done = train("run", sets={"latents": spoilt}, max_steps=6)
    assert all(w.isfinite().all() for w in done.denoiser.unet.parameters())
    skipped = int(done.log["skipped_steps"].iloc[-1])
    assert 0 < skipped < 6
    named = [r.message for r in caplog.records if "skipped" in r.message]
    assert len(named) == skipped
    assert all("s5" in message for message in named)


def test_too_many_skipped_steps_in_a_row_stop_the_run(train) -> None:
    rate = {"peak": 1e30, "warmup_steps": 0, "decay": "constant"}
    with pytest.raises(ProjectError, match=r"was not finite in 3 consecutive steps"):
        train("run", max_steps=20, learning_rate=rate, max_skipped_in_a_row=3)


def test_deterministic_algorithms_are_asked_for(train, monkeypatch: pytest.MonkeyPatch) -> None:
    enabled = []
    accumulate = task.accumulate

    def looking(*arguments):
        enabled.append(torch.are_deterministic_algorithms_enabled())
        return accumulate(*arguments)

    monkeypatch.setattr(task, "accumulate", looking)
    train("run", execution={"deterministic": True})
    assert enabled == [True] * 3
    assert not torch.are_deterministic_algorithms_enabled()


DIVERGING = {"peak": 1e30, "warmup_steps": 0, "decay": "constant"}


def test_a_validation_that_is_not_finite_ends_the_run(train) -> None:
    validation = {"every": 3, "samples": 2, "steps": 1}
    with pytest.raises(
        ProjectError, match=r"^train: validation after step 3: .* not finite \(NaN\)"
    ):
        train("run", learning_rate=DIVERGING, validation=validation)


@pytest.mark.parametrize(
    ("peak", "reason"),
    [
        (1e3, "the loss or gradient was not finite in 2 of 3 steps"),
        (10.0, r"diverged, the loss is [\d.e+]+ at the end"),
    ],
)
def test_a_diverged_training_with_finite_weights_ends_the_run(
    train, peak: float, reason: str
) -> None:
    rate = DIVERGING | {"peak": peak}
    with pytest.raises(ProjectError, match=rf"^train: {reason}; lower train\.learning_rate\.peak"):
        train("run", learning_rate=rate, validation={"every": None})


def test_weights_that_are_not_finite_end_the_run(train, tmp_path: Path) -> None:
    start = train("first").denoiser
    torch.nn.init.constant_(start.unet.conv_out.bias, torch.nan)
    DenoiserDataset(filepath=str(tmp_path / "start")).save(start)
    with pytest.raises(
        ProjectError, match=r"the weights are not finite.*train\.learning_rate\.peak"
    ):
        train("run", start_from=str(tmp_path / "start"))
