"""Validation during a training: when it happens, what it decides, and the grid of samples."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from albedo_pipeline.artifacts.checkpoints import read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.colormap import ERROR_LIMIT, coloured
from albedo_pipeline.imaging.colour import decode_srgb
from albedo_pipeline.training import validation
from albedo_pipeline.training.stopping import Paused
from albedo_pipeline.training.validation import Prediction, grid
from albedo_pipeline.training.validation_scores import chosen_samples
from tests.support.training import LONG, same

VALIDATING = LONG | {"validation": {"every": 5, "samples": 3, "batch_size": 1, "steps": 1}}


@pytest.mark.slow
def test_an_interrupted_validation_is_repeated(train, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train("whole", **VALIDATING)
    validate, calls = validation.validate, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 2:  # of the raw weights, after the EMA's
            os.kill(os.getpid(), signal.SIGTERM)
        return validate(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(validation, "validate", interrupted)
        with pytest.raises(Paused):
            train("cut", **VALIDATING)
    newest = max((Path(whole.store.folder).parent / "cut").glob("step-*"))
    assert json.loads((newest / "state.json").read_text())["training"]["validated"] is None
    cut = train("cut", **VALIDATING)
    assert same(whole.store.path(10), cut.store.path(10))
    names = [name for name in whole.log if name.startswith("validation_")]
    assert set(names) == {f"validation_{m}{r}" for m in ("psnr", "ssim") for r in ("", "_raw")}
    pd.testing.assert_frame_equal(whole.log[["step", *names]], cut.log[["step", *names]])
    assert whole.log.dropna(subset=names)["step"].tolist() == [5, 10]


def test_a_validation_before_the_first_step(train) -> None:
    settings = VALIDATING["validation"] | {"at_start": True}
    log = train("run", **VALIDATING | {"validation": settings}).log
    assert log.dropna(subset=["validation_psnr"])["step"].tolist() == [0, 5, 10]


def test_a_plateau_reduces_the_rate_and_finally_ends_the_training(train) -> None:
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
    # The first validation is the best, the next two reduce the rate, the fourth ends the training.
    assert done.log["step"].max() == 8
    rates = done.log.set_index("step")["learning_rate"]
    assert [rates[step] for step in (3, 5, 7)] == [1e-9, 5e-10, 2.5e-10]
    assert train("run", **settings).log["step"].max() == 8  # it stays ended


def test_a_training_on_plateaus_can_be_made_longer(train) -> None:
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
    train("cut", max_steps=4, **settings)  # with an extra validation at its end
    cut = train("cut", max_steps=9, **settings)
    rates = [t.log.set_index("step")["learning_rate"] for t in (whole, cut)]
    pd.testing.assert_series_equal(*rates)


def test_a_grid_of_samples_is_written(train) -> None:
    done = train("run", visualisation={"every": 3, "samples": 2})
    assert (done.store.folder / "samples" / "step-00000003.png").stat().st_size > 500


def test_a_chosen_metric_is_measured_in_its_colour_space(train, images, train_params) -> None:
    chosen = VALIDATING["validation"] | {"every": 2, "metric": "rmse"}
    settings = VALIDATING | {"validation": chosen}
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
        result = validation.predict(
            done.denoiser, images, samples, params.validation, params.precision
        )
        linear = [decode_srgb(image.numpy()) for image in (result.predicted, result.truth)]
        squares.append(((linear[0] - linear[1]) ** 2).mean())
    assert by_step.loc[10, "validation_rmse"] == pytest.approx(np.sqrt(squares).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("mean_error", r"no metric 'mean_error'; choose one of psnr, .*rmse"),
        ("lpips", r"'lpips' needs the weights of a network.*, or choose one of .*rmse"),
        ("constancy", r"no metric 'constancy'"),
    ],
)
def test_a_metric_that_validation_cannot_measure_is_refused_first(
    train, metric: str, message: str
) -> None:
    with pytest.raises(ProjectError, match=r"train\.validation\.metric: " + message) as error:
        train("run", validation={"metric": metric})
    assert "lpips" not in str(error.value).partition("choose")[2]


def test_the_grid_shows_beauty_prediction_truth_error_and_uncertainty() -> None:
    beauty, predicted, truth, uncertainty = (
        torch.full((2, 3, 64, 64), v) for v in (0.2, 0.4, 0.6, 0.125)
    )
    valid = torch.ones(2, 1, 64, 64, dtype=torch.bool)
    valid[1] = False
    image = grid(Prediction(["a", "b"], beauty, predicted, truth, valid, uncertainty))
    # Each picture is enlarged twice; above are headings (18), colour bars (6) and a gap (4).
    assert image.shape == (18 + 6 + 4 + 2 * (128 + 4), 4 + 5 * (128 + 4), 3)
    first, second = ([image[row, 132 * column + 5] for column in range(5)] for row in (28, 160))
    error, doubt = coloured(np.array([51 / 255, 0.125]) / ERROR_LIMIT)
    assert [p.tolist() for p in first] == [
        [51] * 3,
        [102] * 3,
        [153] * 3,
        error.tolist(),
        doubt.tolist(),
    ]
    assert [p.tolist() for p in second] == [[51] * 3, [102] * 3, *[[104] * 3] * 3]  # hatched
    assert (image[156:160] == 255).all()  # the gap between the rows
    assert (image[18:24, 4:400] == 255).all()  # only false colours have a bar
    assert image[18, 400].tolist() == coloured(np.zeros(1))[0].tolist()
    assert image[18, 527].tolist() == coloured(np.ones(1))[0].tolist()
    assert all((image[:18, 132 * column + 4 :][:, :128] < 128).any() for column in range(5))


def test_without_an_ensemble_the_grid_has_no_uncertainty_and_large_pictures_keep_their_size() -> (
    None
):
    image = torch.zeros(1, 3, 2, 200)
    valid = torch.ones(1, 1, 2, 200, dtype=torch.bool)
    assert grid(Prediction(["a"], image, image, image, valid)).shape == (34, 4 + 4 * 204, 3)


def test_chosen_samples_are_spread_evenly_over_the_split() -> None:
    manifest = pd.DataFrame({"split": ["train"] + ["validation"] * 9, "row": np.arange(10)})
    assert chosen_samples(manifest, "validation", 3)["row"].tolist() == [1, 5, 9]
    assert len(chosen_samples(manifest, "validation", 99)) == 9
