"""Validation on several sets, and by metrics of other modules: the first set decides."""

import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from albedo_pipeline.artifacts.checkpoints import Checkpoints, read_json
from albedo_pipeline.artifacts.pair_sets import PairSet
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.metrics.image.psnr import PSNR
from albedo_pipeline.params.optimisation import Validation
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.training import validation
from albedo_pipeline.training.denoiser import train_denoiser
from albedo_pipeline.training.validation import ImageData
from albedo_pipeline.training.validation_metric import validation_metric
from tests.support.training import same, save_images

SHORT = {"max_steps": 4, "checkpoints": {"every": 2, "keep_last": 9}}
EVERY = {"every": 2, "samples": 3, "batch_size": 3, "steps": 1}
USER_METRIC = """
from albedo_pipeline.metrics.base import Metric

def largest(prediction, truth, valid):
    return ((prediction - truth).abs() * valid).amax(dim=(1, 2, 3))

LARGEST = Metric(name="largest", label="Largest", higher_is_better=False, function=largest,
                 colour_space="srgb")
NONE = Metric(name="none", label="None", higher_is_better=False, colour_space="srgb",
              function=lambda *images: largest(*images) * float("nan"))
"""


@pytest.fixture
def images(images: ImageData) -> ImageData:
    """The images, and a set `one` that has the first of their validation samples."""
    first = images.manifest.iloc[:1]
    return replace(images, more={"one": PairSet(images.pairs, first)})


def settings(**changes) -> dict:
    return SHORT | {"validation": EVERY | changes}


def scores(log: pd.DataFrame, name: str) -> list[float]:
    return log[f"validation_{name}"].dropna().tolist()


def test_the_first_set_decides_and_the_others_are_logged(train, images, train_params) -> None:
    alone, both, turned = (
        train(name, **settings(sets=sets))
        for name, sets in (
            ("alone", ["pairs"]),
            ("both", ["pairs", "one"]),
            ("turned", ["one", "pairs"]),
        )
    )
    assert same(alone.store.path(4), both.store.path(4))  # state and best included
    for name in ("psnr", "ssim", "psnr_raw", "ssim_raw"):
        assert (
            scores(both.log, name) == scores(alone.log, name) == scores(turned.log, f"pairs/{name}")
        )
        assert scores(both.log, f"one/{name}") == scores(turned.log, name)
    best = read_json(turned.store.path(4), "state.json")["training"]["best"]
    assert best[0][1] == max(scores(turned.log, "psnr"))

    params = train_params(**settings())
    one = images.main_set(("one",))
    made = validation.predict(both.denoiser, one, one.manifest, params.validation, "fp32")
    psnr = float(PSNR.function(made.predicted, made.truth, made.valid))
    assert scores(both.log, "one/psnr")[-1] == pytest.approx(psnr, abs=1e-5)


def test_a_further_set_does_not_disturb_a_resumed_training(
    train, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the plateau, whose settings decide the weights, nor the best checkpoints."""
    plateau = {"peak": 1e-3, "warmup_steps": 0, "decay": "plateau"}
    changes = settings() | {"learning_rate": plateau}
    train("run", **changes | {"max_steps": 2})
    done = train("run", **changes | {"validation": EVERY | {"sets": ["pairs", "one"]}})
    assert done.log["step"].max() == 4
    assert "earlier best checkpoints do not count" not in caplog.text
    validating = {"validation": EVERY | {"sets": ["one"]}}
    with pytest.raises(ProjectError, match=r"validation\.sets"):
        train("run", **changes | validating | {"max_steps": 6})


def test_settings_say_nothing_of_sets_that_decide_nothing() -> None:
    plain = Validation().result_settings()
    assert not {"sets", "lpips_weights"} & set(plain)
    assert Validation(lpips_weights=Path("anywhere")).result_settings() == plain
    assert Validation(sets=("pairs", "one")).result_settings() == plain
    assert Validation(sets=("one", "pairs")).result_settings() == plain | {"sets": "one"}
    with pytest.raises(ValidationError, match="names a set twice"):
        Validation(sets=("one", "one"))


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "validated_by.py").write_text(USER_METRIC, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("validated_by", None)


@pytest.mark.usefixtures("module")
def test_a_metric_of_the_users_decides(train) -> None:
    done = train("run", **settings(metric="validated_by.LARGEST"))
    state = read_json(done.store.path(4), "state.json")["training"]
    values = scores(done.log, "largest")
    assert len(values) == 2
    assert state["best"][0][1] == min(values)


@pytest.mark.usefixtures("module")
def test_a_metric_without_a_value_cannot_decide(train) -> None:
    with pytest.raises(ProjectError, match=r"train\.validation\.metric: none has no value"):
        train("run", **settings(metric="validated_by.NONE"))


def test_lpips_can_decide_if_its_weights_are_there(lpips_file: Path, tmp_path: Path) -> None:
    metric = validation_metric(Validation(metric="lpips", lpips_weights=lpips_file))
    pictures = torch.rand(2, 1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    scores = metric.function(*pictures, torch.ones(1, 1, 64, 64, dtype=torch.bool))
    assert scores > 0
    (tmp_path / "empty.safetensors").write_bytes(b"")
    with pytest.raises(ProjectError, match=r"train\.validation\.lpips_weights: .*empty"):
        validation_metric(Validation(metric="lpips", lpips_weights=tmp_path / "empty.safetensors"))


def test_the_weights_of_lpips_count_by_their_content(
    latents: LatentShards,
    train_params,
    lpips_file: Path,
    lpips_weights,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    moved, other = tmp_path / "moved.safetensors", tmp_path / "other.safetensors"
    moved.write_bytes(lpips_file.read_bytes())
    save_file({**lpips_weights, "lin0.model.1.weight": torch.zeros(1, 64, 1, 1)}, other)
    images = save_images(tmp_path / "large", side=32)

    def train(file: Path, max_steps: int, decay: str) -> None:
        params = train_params(
            max_steps=max_steps,
            learning_rate={"peak": 1e-3, "decay": decay},
            validation=EVERY | {"samples": 1, "metric": "lpips", "lpips_weights": str(file)},
        )
        store = Checkpoints(tmp_path / decay)
        train_denoiser({"latents": latents}, images, params, store, tmp_path / "events")

    train(lpips_file, 1, "plateau")
    train(moved, 2, "plateau")
    assert "do not count" not in caplog.text
    setting = r"train\.validation\.lpips_weights: '\w{16}' there, '\w{16}' here"
    with pytest.raises(ProjectError, match=setting):
        train(other, 3, "plateau")

    train(lpips_file, 1, "constant")
    train(other, 2, "constant")
    assert "earlier best checkpoints do not count" in caplog.text


def test_wrong_sets_and_metrics_are_named(train) -> None:
    with pytest.raises(
        ProjectError, match=r"train\.validation\.sets: no set 'two'; known sets are"
    ):
        train("run", **settings(sets=["pairs", "two"]))
    with pytest.raises(ProjectError, match="no sample of the set one is in 'train'"):
        train("run", **settings(sets=["one"], split="train"))
    with pytest.raises(ProjectError, match=r"train\.validation\.metric: nowhere\.METRIC"):
        train("run", **settings(metric="nowhere.METRIC"))
