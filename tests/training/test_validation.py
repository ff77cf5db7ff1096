"""Validation while training: done again, deciding what is best, and ending on a plateau."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from albedo_pipeline.artifacts.checkpoints import read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.colour import decode_srgb
from albedo_pipeline.training import validation as examination
from albedo_pipeline.training.stopping import Paused
from tests.support.training import LONG, decaying_at, same

VALIDATING = LONG | {"validation": {"every": 5, "samples": 3, "batch_size": 1, "steps": 1}}


def test_an_interrupted_validation_is_done_again(train, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train("whole", **VALIDATING)
    validate, calls = examination.validate, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 2:  # the raw weights', after the EMA's
            os.kill(os.getpid(), signal.SIGTERM)
        return validate(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(examination, "validate", interrupted)
        with pytest.raises(Paused):
            train("cut", **VALIDATING)
    newest = max((Path(whole.store.folder).parent / "cut").glob("step-*"))
    assert read_json(newest, "state.json")["training"] | {"run": ""} != {}
    assert json.loads((newest / "state.json").read_text())["training"]["validated"] is None
    cut = train("cut", **VALIDATING)
    assert same(whole.store.path(10), cut.store.path(10))
    names = [name for name in whole.log if name.startswith("validation_")]
    assert set(names) == {f"validation_{m}{r}" for m in ("psnr", "ssim") for r in ("", "_raw")}
    pd.testing.assert_frame_equal(whole.log[["step", *names]], cut.log[["step", *names]])
    assert whole.log.dropna(subset=names)["step"].tolist() == [5, 10]


def test_validation_before_the_first_step(train) -> None:
    settings = VALIDATING["validation"] | {"at_start": True}
    log = train("run", **VALIDATING | {"validation": settings}).log
    assert log.dropna(subset=["validation_psnr"])["step"].tolist() == [0, 5, 10]


def test_the_best_checkpoint_is_kept_and_can_be_the_result(train) -> None:
    settings = {
        "max_steps": 8,
        "checkpoints": {"every": 4, "keep_last": 1, "keep_best": 1},
        "validation": {"every": 1, "samples": 3, "steps": 1},
        "learning_rate": {"peak": 1e-2, "warmup_steps": 0, "decay": "constant"},
        "output": "best",
    }
    done = train("run", **settings)
    psnr = done.log.set_index("step")["validation_psnr"].dropna()
    best = int(psnr.idxmax())
    assert done.store.steps() == sorted({best, 8})
    weights = load_file(done.store.path(best) / "ema.safetensors")
    for name, weight in done.denoiser.unet.named_parameters():
        assert torch.equal(weight, weights[name])


def test_a_plateau_ends_the_training_and_stays_ended(train) -> None:
    settings = {
        "max_steps": 100,
        "validation": {"every": 2, "samples": 1, "steps": 1},
        "learning_rate": {
            "peak": 1e-9,
            "warmup_steps": 0,
            "decay": "plateau",
            "plateau": {"patience": 0, "min_delta": 5.0, "max_reductions": 2},
        },
    }
    done = train("run", **settings)
    assert done.log["step"].max() == 8  # the first sets the mark, two reduce, the fourth ends
    rates = done.log.set_index("step")["learning_rate"]
    assert [rates[step] for step in (3, 5, 7)] == [1e-9, 5e-10, 2.5e-10]
    assert train("run", **settings).log["step"].max() == 8


def test_samples_are_shown(train, tmp_path: Path) -> None:
    done = train("run", visualisation={"every": 3, "samples": 2})
    assert (done.store.folder / "samples" / "step-00000003.png").stat().st_size > 500


def test_a_longer_plateau_is_the_same_training(train) -> None:
    settings = {
        "validation": {"every": 3, "samples": 1, "steps": 1},
        "learning_rate": {
            "peak": 1e-3,
            "warmup_steps": 0,
            "decay": "plateau",
            "plateau": {"patience": 0, "min_delta": 9.0, "max_reductions": 9},
        },
    }
    whole = train("whole", max_steps=9, **settings)
    train("cut", max_steps=4, **settings)  # validated at its end, out of turn
    cut = train("cut", max_steps=9, **settings)
    rates = [t.log.set_index("step")["learning_rate"] for t in (whole, cut)]
    pd.testing.assert_series_equal(*rates)


def test_another_metric_forgets_the_best(train, caplog: pytest.LogCaptureFixture) -> None:
    validation = {"every": 2, "samples": 2, "steps": 1}
    settings = {"learning_rate": decaying_at(6), "output": "best"}
    train("run", max_steps=2, validation=validation, **settings)
    done = train("run", max_steps=6, validation=validation | {"metric": "ssim"}, **settings)
    state = read_json(done.store.path(6), "state.json")["training"]
    assert all(value <= 1 for _, value in state["best"])
    assert any(
        "earlier best checkpoints do not count" in record.message for record in caplog.records
    )


def test_a_chosen_metric_is_measured_in_its_colour_space(train, images, train_params) -> None:
    validation = VALIDATING["validation"] | {"every": 2, "metric": "rmse"}
    settings = VALIDATING | {"validation": validation}
    done = train("run", **settings)
    by_step = done.log.set_index("step").dropna(subset="validation_psnr")
    for scores in ("psnr", "ssim", "rmse", "psnr_raw", "ssim_raw", "rmse_raw"):
        assert by_step[f"validation_{scores}"].notna().all()
    state = read_json(done.store.path(10), "state.json")["training"]
    assert state["best"] == [
        [int(by_step["validation_rmse"].idxmin()), by_step["validation_rmse"].min()]
    ]

    params = train_params(**settings)
    squares = []
    for row in range(3):
        samples = images.manifest.iloc[[row]]
        result = examination.predict(
            done.denoiser, images, samples, params.validation, params.precision
        )
        linear = [decode_srgb(image.numpy()) for image in (result.predicted, result.truth)]
        squares.append(((linear[0] - linear[1]) ** 2).mean())
    assert by_step.loc[10, "validation_rmse"] == pytest.approx(np.sqrt(squares).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("mean_error", r"no metric 'mean_error'; choose one of psnr, .*rmse"),
        ("lpips", r"'lpips' needs the weights of a network.*; choose one of .*rmse"),
        ("constancy", r"no metric 'constancy'"),
    ],
)
def test_a_metric_that_validation_cannot_measure_is_refused_first(
    train, metric: str, message: str
) -> None:
    with pytest.raises(ProjectError, match=r"train\.validation\.metric: " + message) as error:
        train("run", validation={"metric": metric})
    assert "lpips" not in str(error.value).partition("choose")[2]


def test_a_damaged_best_checkpoint_is_named(train, monkeypatch: pytest.MonkeyPatch) -> None:
    falling = iter(range(100, 0, -1))
    monkeypatch.setattr(
        examination, "validate", lambda *_: {"psnr": float(next(falling)), "ssim": 0.5}
    )
    settings = {
        "checkpoints": {"every": 1, "keep_last": 9},
        "validation": {"every": 1, "samples": 1, "steps": 1},
        "output": "best",
        "learning_rate": {"peak": 1e-9, "warmup_steps": 0, "decay": "constant"},
    }
    store = train("run", **settings).store
    best = read_json(store.path(3), "state.json")["training"]["best"][0][0]
    assert best == 1
    (store.path(best) / "ema.safetensors").write_bytes(b"")
    with pytest.raises(ProjectError, match=r"best checkpoint is damaged \(ema.safetensors"):
        train("run", **settings)
