"""The job of `predict`: what its results depend on, and what stops it."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.inference import predict_job as predict_job_module
from albedo_pipeline.inference.predict_job import (
    PredictJob,
    check_all_done,
    model_digest,
    predict_job,
)
from albedo_pipeline.models.albedo_model import load_albedo_model
from albedo_pipeline.params import PredictParams
from albedo_pipeline.params.base import PretrainedModel
from tests.support.broken_images import image
from tests.support.marigold import save_marigold


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save_marigold(tmp_path_factory.mktemp("model"))


@pytest.fixture
def job(tmp_path: Path, folder: Path):
    """Makes a job for one image of 20 x 24 pixels, with changed settings."""
    path = image(tmp_path / "a.png", np.full((20, 24, 3), 128, np.uint8))

    def make(**settings) -> PredictJob:
        defaults = {"input": str(path), "model": str(folder), "device": "cpu"}
        return predict_job(lambda: None, PredictParams(**defaults | settings))

    return make


def test_settings_without_an_effect_keep_the_cache_key(job) -> None:
    assert job(batch_size=3, max_megapixels=9.0).cache_key == job().cache_key


@pytest.mark.parametrize(
    "settings",
    [
        {"seed": 1},
        {"steps": 3},
        {"ensemble": {"members": 2}},
        {"tile": 16},
        {"resolution": 16},
        {"whole_megapixels": 0.1},
        {"output": {"exr": "acescg"}},
    ],
)
def test_settings_with_an_effect_change_the_cache_key(job, settings: dict) -> None:
    assert job(**settings).cache_key != job().cache_key


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ({"png": "linear"}, "output: png: linear needs png_bits 16"),
        ({"exr": None, "png": None}, "output: exr, png and tiff are all null"),
        ({"png": "acescg"}, "output.png: Input should be 'srgb' or 'linear'"),
        ({"exr": "srgb"}, "output.exr: Input should be 'linear' or 'acescg'"),
        ({"png_bits": 12}, "output.png_bits: Input should be 8 or 16"),
    ],
)
def test_files_that_cannot_be_written_are_refused(output: dict, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}"):
        PredictParams.model_validate({"output": output})


def test_a_copied_model_has_the_same_digest(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    models = [load_albedo_model(PretrainedModel(model=str(path))) for path in (folder, copy)]
    assert model_digest(models[0]) == model_digest(models[1])
    with torch.no_grad():
        next(models[1].denoiser.unet.parameters()).add_(1)
    assert model_digest(models[0]) != model_digest(models[1])


def test_the_models_defaults_are_used_if_the_settings_are_null(job) -> None:
    settings = job().settings
    assert (settings["steps"], settings["resolution"]) == (2, 128)  # four times what it is made for
    assert job(resolution=40).settings["resolution"] == 40


def test_a_job_without_an_input_is_refused() -> None:
    with pytest.raises(ProjectError, match=r"^predict\.input: "):
        predict_job(lambda: None, PredictParams())


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (torch.OutOfMemoryError("2 GiB"), r"not enough memory; lower predict\.whole_megapixels"),
        (RuntimeError("can't allocate memory: 9 bytes"), r"not enough memory; .*\(can't allocate"),
        (RuntimeError("odd"), "the prediction failed: RuntimeError: odd"),
    ],
)
def test_whatever_fails_for_one_image_is_its_reason(
    job, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def fail(*_):
        raise error

    monkeypatch.setattr(predict_job_module, "predict_image", fail)
    work = job()
    with pytest.raises(BadSampleError, match=reason):
        work.make(work.images[0])


def test_the_plan_counts_pixels_and_tiles(job) -> None:
    work = job(whole_megapixels=0.0003)
    plan = work.plan(work.images)
    assert "0.00048 megapixels in 1 image(s), predicted at 0.00048; about" in plan
    assert "1 in tiles, because they are larger than 0.0003 megapixels" in plan
    assert "; 0 in tiles" in job().plan(work.images)
    work.images[0].path.write_bytes(b"")
    assert job().plan(work.images) == "no image can be read"


def test_the_final_error_names_the_first_bad_images() -> None:
    records = [{"name": f"{i}.png", "reason": "cut off" * (i > 0)} for i in range(8)]
    check_all_done({"images": records[:1]})
    with pytest.raises(ProjectError, match=r"7 of 8 image\(s\) .*1\.png: cut off;.* and 2 more$"):
        check_all_done({"images": records})
