"""Metrics of a module outside the package."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.evaluation.own_metrics import own_metrics
from albedo_pipeline.evaluation.protocols import Protocol, protocol
from albedo_pipeline.metrics.base import MARIGOLD_IID, OURS
from albedo_pipeline.metrics.registry import image_metrics, quantities
from albedo_pipeline.reporting.formatting import higher_is_better, label, measured, show_own_metrics

MODULE = """
import torch
from albedo_pipeline.metrics.base import Metric

def largest(prediction, truth, valid):
    return ((prediction - truth).abs() * valid).amax(dim=(1, 2, 3))

def metric(name="largest", function=largest, colour_space="srgb", **more):
    return Metric(name=name, label="Largest error", higher_is_better=False, digits=1,
                  function=function, colour_space=colour_space, **more)

LARGEST = metric()
AGAIN = metric()
TAKEN = metric("psnr")
COLUMN = metric("method")
SUFFIX = metric("largest_aligned")
SPACE = metric(colour_space="xyz")
WEIGHTS = metric(load_weights=print)
SCALAR = metric(function=lambda prediction, truth, valid: prediction.mean())
RAISES = metric(function=lambda prediction, truth, valid: {}["no such key"])
NUMBER = 3
"""
KEY = "evaluate.metrics"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """File of the module `user_metrics`, which Python finds."""
    file = tmp_path / "user_metrics.py"
    file.write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield file
    sys.modules.pop("user_metrics", None)


def chosen(name: str, *names: str) -> Protocol:
    paths = [f"user_metrics.{one}" for one in names]
    return protocol(name, None, own_metrics(paths, KEY))


def test_it_is_measured_after_those_of_the_protocol(module: Path) -> None:
    names = [measure.name for measure in chosen(OURS, "LARGEST").measures]
    assert names[names.index("psnr_aligned") - 1] == "largest"
    assert names[-1] == "largest_aligned_unmasked"
    assert [measure.name for measure in chosen(MARIGOLD_IID, "LARGEST").measures] == [
        "marigold_psnr",
        "marigold_ssim",
        "largest",
        "marigold_psnr_unmasked",
        "marigold_ssim_unmasked",
        "largest_unmasked",
    ]


def test_no_other_measurement_and_no_training_measures_it(module: Path) -> None:
    chosen(OURS, "LARGEST")
    assert "largest" in quantities()
    assert "largest" not in {metric.name for metric in image_metrics()}
    assert "largest" not in {measure.name for measure in chosen(OURS).measures}
    assert "own_metrics" not in chosen(OURS).description  # earlier fingerprints stay


def test_the_protocol_says_its_path_and_its_code(module: Path) -> None:
    before = chosen(OURS, "LARGEST").description["own_metrics"]["largest"]
    assert before["path"] == "user_metrics.LARGEST"
    module.write_text(MODULE + "# changed\n", encoding="utf-8")
    after = chosen(OURS, "LARGEST").description["own_metrics"]["largest"]
    assert before["code"] != after["code"]
    assert before | {"code": after["code"]} == after


def test_the_report_shows_it_without_its_module() -> None:
    about = {"unit": "%", "digits": 1, "higher_is_better": False, "main_order": None}
    show_own_metrics({"own_metrics": {"elsewhere": about | {"label": "From elsewhere"}}})
    assert label("elsewhere_unmasked") == "From elsewhere, all pixels"
    assert measured("elsewhere", 1.25, with_unit=True) == "1.2 %"
    assert higher_is_better("elsewhere") is False
    show_own_metrics({"own_metrics": {"psnr": about | {"label": "Not PSNR"}}})
    assert label("psnr") == "PSNR"


def test_it_gets_images_in_its_colour_space(module: Path, noisy_images) -> None:
    prediction, truth, valid = noisy_images(0)
    measure = next(m for m in chosen(OURS, "LARGEST").measures if m.name == "largest")
    expected = (prediction - truth).abs().max()
    assert torch.equal(measure.metric.function(prediction, truth, valid), expected[None])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["MISSING"], r"user_metrics.MISSING: module 'user_metrics' has no attribute 'MISSING'"),
        (["NUMBER"], r"user_metrics.NUMBER: this is int, not a Metric; give the dotted path"),
        (["SPACE"], r"SPACE: colour_space: 'xyz'; choose one of srgb, linear"),
        (["WEIGHTS"], r"WEIGHTS: load_weights: load the weights in the module instead"),
        (["TAKEN"], r"TAKEN: there is a metric 'psnr' already; rename it"),
        (["LARGEST", "AGAIN"], r"AGAIN: there is a metric 'largest' already; rename it"),
        (["COLUMN"], r"COLUMN: name: 'method' has a meaning in the table of scores; rename it"),
        (["SUFFIX"], r"SUFFIX: name: 'largest_aligned' has a meaning"),
    ],
)
def test_a_wrong_metric_is_named_with_its_key(module: Path, names: list[str], message: str) -> None:
    with pytest.raises(ProjectError, match=rf"^evaluate\.metrics: .*{message}"):
        chosen(OURS, *names)


@pytest.mark.parametrize("path", ["no_such_module.METRIC", "METRIC", ""])
def test_a_path_without_a_module_is_named_with_its_key(path: str) -> None:
    with pytest.raises(ProjectError, match=rf"^compare\.metrics: {path}: "):
        own_metrics([path], "compare.metrics")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("SCALAR", r"gives \[\] for 1 images; return one number for each, \[B\]"),
        ("RAISES", "KeyError: 'no such key'"),
    ],
)
def test_a_failing_function_is_named_with_its_key(
    module: Path, noisy_images: Callable, name: str, message: str
) -> None:
    measure = next(m for m in chosen(OURS, name).measures if m.name == "largest")
    with pytest.raises(ProjectError, match=rf"^evaluate\.metrics: user_metrics.{name}: {message}"):
        measure.metric.function(*noisy_images(0))
