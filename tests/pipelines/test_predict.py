"""`predict`: every image of the user gets an albedo, or a reason why it has none."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from kedro.io import DatasetError

from albedo_pipeline.artifacts.user_predictions import UserPredictionsDataset
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.io.read import read_colour
from albedo_pipeline.inference.predict_job import check_all_done, predict_job
from albedo_pipeline.inference.tiled_prediction import predict_image
from albedo_pipeline.inference.user_images import read_beauty
from albedo_pipeline.params import PredictParams
from albedo_pipeline.reporting.user_page import user_page
from albedo_pipeline.runtime.locks import locked
from tests.support.broken_images import codes, cut, image, noise, text
from tests.support.companions import add_companions
from tests.support.marigold import save_marigold
from tests.support.project import error_of, new_project

HOSTILE = "<img src=x onerror=alert(1)>"
NO_EXPORT = Path("no/export")
TWO_TARGETS = {
    "target_names": ["material", "albedo"],
    "material": {"prediction_space": "stack", "sub_target_names": ["roughness", None, None]},
    "roughness": {"prediction_space": "linear"},
    "albedo": {"prediction_space": "linear"},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return save_marigold(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def linear_model(tmp_path_factory) -> Path:
    return save_marigold(tmp_path_factory.mktemp("linear"), TWO_TARGETS)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with usable images of every kind, unusable ones, and a file that is no image."""
    folder = tmp_path / "in"
    (folder / "room").mkdir(parents=True)
    image(folder / "a.png", codes()[:24, :32])
    image(folder / "room" / "deep.tif", (noise()[:20, :24] * 65535).astype(np.uint16))
    image(folder / "a.hdr", noise()[:16, :16] * 5)
    image(folder / "half.exr", noise()[:40, :48].astype(np.float16))
    image(folder / f"{HOSTILE}.png", codes()[:16, :16])
    np.save(folder / "array.npy", noise()[:16, :20])
    cut(folder / "cut.jpg")
    text(folder / "text.png")
    text(folder / "readme.txt")
    return folder


def run(output: Path, model: Path, source: Path | str, /, **settings) -> dict:
    """Predict, and return the summary; unusable images are no error here."""
    params = PredictParams(input=str(source), model=str(model), device="cpu", **settings)
    dataset = UserPredictionsDataset(filepath=str(output))
    dataset.save(predict_job(NO_EXPORT, params))
    return dataset.load()


def states(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("index.json", "index.html")
    }


def test_usable_images_are_predicted_and_unusable_ones_named(tmp_path, model, images) -> None:
    output = tmp_path / "out"
    summary = run(output, model, images)
    reasons = {record["name"]: record["reason"] for record in summary["images"]}
    assert list(reasons) == sorted(reasons)
    assert {name for name, reason in reasons.items() if reason} == {"cut.jpg", "text.png"}
    assert summary["others"] == 1
    for name in ("a.png", "a.hdr", "room/deep", "half", "array", HOSTILE):
        assert (output / f"{name}_albedo.exr").is_file()
        assert (output / f"{name}_albedo.png").is_file()
    with pytest.raises(ProjectError, match=r"2 of 8 image\(s\) could not be used.*: cut\.jpg: "):
        check_all_done(summary)
    spaces = {r["name"]: r["space"] for r in summary["images"] if not r["reason"]}
    assert {n for n, space in spaces.items() if space == "linear"} == {
        "a.hdr",
        "array.npy",
        "half.exr",
    }
    assert not list(output.rglob(".*.partial*"))


def test_companions_in_a_folder_from_a_mac_are_passed_over(tmp_path, model, caplog) -> None:
    folder = tmp_path / "in"
    (folder / "room").mkdir(parents=True)
    for name in ("a.png", "room/b.png"):
        image(folder / name, codes()[:16, :16])
    added = add_companions(folder)
    (folder / ".ipynb_checkpoints").mkdir()
    image(folder / ".ipynb_checkpoints" / "a-checkpoint.png", codes()[:16, :16])
    with caplog.at_level("INFO"):
        summary = run(tmp_path / "out", model, folder)
    assert [(r["name"], r["reason"]) for r in summary["images"]] == [
        ("a.png", ""),
        ("room/b.png", ""),
    ]
    assert (summary["others"], summary["companions"]) == (0, added + 1)
    assert "passed over 5 companion file(s)" in caplog.text
    assert "5 companion files passed over (._name, .DS_Store" in user_page(summary)
    matched = run(tmp_path / "out", model, folder / "**" / "*.png")
    assert len(matched["images"]) == 2
    assert matched["companions"] == 3


def test_a_second_run_predicts_only_what_changed(tmp_path, model, images) -> None:
    output = tmp_path / "out"
    first = run(output, model, images)
    before = states(output)
    assert run(output, model, images) == first
    assert states(output) == before
    image(images / "a.png", codes()[:24, :40])
    run(output, model, images)
    changed = {name for name, state in states(output).items() if before.get(name) != state}
    assert {Path(name).name for name in changed} == {
        "a.png_albedo.exr",
        "a.png_albedo.png",
        "a.png_albedo.json",
        "a.png_beauty.jpg",
        "a.png_albedo.jpg",
    }
    (output / "half_albedo.exr").unlink()
    (output / "array_albedo.json").write_text("{", encoding="utf-8")
    before = states(output)
    run(output, model, images)
    changed = {name for name, state in states(output).items() if before.get(name) != state}
    assert {name for name in changed if name.endswith(".exr")} == {
        "half_albedo.exr",
        "array_albedo.exr",
    }


def test_other_settings_and_another_model_predict_all_again(tmp_path, model, linear_model) -> None:
    image(tmp_path / "a.png", codes()[:16, :16])
    output = tmp_path / "out"
    digests = set()
    for folder, settings in (
        (model, {}),
        (model, {"ensemble": {"members": 2}}),
        (linear_model, {}),
    ):
        run(output, folder, tmp_path / "a.png", **settings)
        digests.add(json.loads((output / "a_albedo.json").read_text(encoding="utf-8"))["cache_key"])
        assert (output / "a_uncertainty.exr").is_file() == bool(settings)
    assert len(digests) == 3


def test_a_stopped_run_is_continued(tmp_path, model, images) -> None:
    output, params = tmp_path / "out", PredictParams(input=str(images), model=str(model))
    job, made = predict_job(NO_EXPORT, params), []

    class Stopped:
        images, others, cache_key = job.images, job.others, job.cache_key
        settings, plan, files = job.settings, job.plan, job.files
        companions, cluster = job.companions, None

        def make(self, image):
            if len(made) == 3:
                raise KeyboardInterrupt
            made.append(image.name)
            return job.make(image)

    with pytest.raises(KeyboardInterrupt):
        UserPredictionsDataset(filepath=str(output)).save(Stopped())
    before = states(output)
    assert len([name for name in before if name.endswith("_albedo.json")]) == 3
    summary = run(output, model, images)
    assert len(summary["images"]) == 8
    assert before.items() <= states(output).items()


def test_one_run_at_a_time_in_a_folder(tmp_path, model, images) -> None:
    with (
        locked(tmp_path / "out", "another predict"),
        pytest.raises(DatasetError, match=r"out: another predict writes here \(process \d+ on "),
    ):
        run(tmp_path / "out", model, images)


def test_an_image_that_became_unusable_keeps_no_old_albedo(tmp_path, model) -> None:
    source, output = image(tmp_path / "a.png", codes()[:16, :16]), tmp_path / "out"
    run(output, model, source)
    text(source)
    assert run(output, model, source)["images"][0]["reason"]
    assert not states(output)


@pytest.mark.parametrize("kind", ["srgb", "linear"])
def test_files_hold_the_prediction(tmp_path, model, linear_model, kind: str) -> None:
    source = image(tmp_path / "a.exr", noise()[:16, :24] * 3)
    params = PredictParams(
        input=str(source), model=str(model if kind == "srgb" else linear_model), steps=2
    )
    work = predict_job(NO_EXPORT, params)
    UserPredictionsDataset(filepath=str(tmp_path / "out")).save(work)
    assert work.model.space == kind
    stored = read_beauty(source, params).stored
    expected = predict_image(work._estimator, stored, "a.exr", work._layout).albedo
    written = read_colour(tmp_path / "out" / "a_albedo.exr", 10**6)
    assert written.type == "half"
    np.testing.assert_allclose(written.pixels, expected, atol=1e-3)
    shown = read_colour(tmp_path / "out" / "a_albedo.png", 10**6)
    assert shown.type == "uint8"
    np.testing.assert_allclose(shown.pixels, encode_srgb(expected), atol=0.6 / 255)


def test_other_files_replace_those_of_before(tmp_path: Path, model: Path) -> None:
    image(tmp_path / "a.png", codes()[:16, :16])
    output = tmp_path / "out"
    wanted = {"exr": "acescg", "png": "linear", "png_bits": 16, "tiff": "srgb"}
    summary = run(output, model, tmp_path / "a.png", output=wanted)
    assert summary["settings"]["output"] == wanted | {"video": "mp4"}
    assert {path.name for path in output.glob("a_*")} == {
        "a_albedo.exr",
        "a_albedo.png",
        "a_albedo.tif",
        "a_albedo.json",
    }
    assert read_colour(output / "a_albedo.png", 10**6).type == "uint16"
    page = user_page(summary)
    assert (
        "The EXR files hold ACEScg (half floats), the PNG files hold linear Rec.709 (16 bits), "
        "the TIFF files hold sRGB (16 bits)."
    ) in page
    summary = run(output, model, tmp_path / "a.png", output={"exr": "linear", "png": None})
    assert {path.name for path in output.glob("a_*")} == {"a_albedo.exr", "a_albedo.json"}
    assert "The EXR files hold linear Rec.709 (half floats)." in user_page(summary)
    assert "a_albedo.png" not in user_page(summary)


def test_results_of_another_image_are_never_replaced(tmp_path: Path, model: Path) -> None:
    output, sources = tmp_path / "out", []
    for number in (1, 2):
        folder = tmp_path / f"take {number}"
        folder.mkdir()
        sources.append(image(folder / "a.png", codes()[number : 16 + number, :16]))
    run(output, model, sources[0])
    before = states(output)
    reason = run(output, model, sources[1])["images"][0]["reason"]
    assert f"its results would replace those of {sources[0]}" in reason
    assert states(output) == before
    sources[0].rename(tmp_path / "elsewhere.png")  # the results no longer belong to an image
    assert not run(output, model, sources[1])["images"][0]["reason"]
    assert states(output) != before


def test_results_are_never_inputs(tmp_path: Path, model: Path) -> None:
    image(tmp_path / "a.png", codes()[:16, :16])
    for _ in range(2):
        summary = run(tmp_path / "out", model, tmp_path)
        assert [record["name"] for record in summary["images"]] == ["a.png"]


def test_an_image_with_too_long_a_name_is_unusable(tmp_path: Path, model: Path) -> None:
    image(tmp_path / f"{'x' * 240}.png", codes()[:16, :16])
    summary = run(tmp_path / "out", model, tmp_path)
    assert "too long" in summary["images"][0]["reason"]


def test_without_a_setting_the_export_of_the_project_predicts(model: Path, images: Path) -> None:
    job = predict_job(model, PredictParams(input=str(images)))
    assert job.model.default_resolution == 32
    assert job.settings["model"] == str(model)


def test_without_an_export_the_bundled_estimator_predicts(tmp_path: Path, images: Path) -> None:
    job = predict_job(tmp_path / "export", PredictParams(input=str(images)))
    assert job.settings["model"] == "the bundled estimator"
    named = PredictParams(input=str(images), model="bundled")
    assert predict_job(tmp_path / "export", named).cache_key == job.cache_key
    albedo = job.make(next(i for i in job.images if i.name == "half.exr")).albedo
    assert albedo.shape == (40, 48, 3)
    assert 0 < albedo.mean() < 1


def test_a_damaged_export_is_no_reason_to_take_another_model(tmp_path: Path, images: Path) -> None:
    (tmp_path / "export").mkdir()
    with pytest.raises(ProjectError, match=r"export: "):
        predict_job(tmp_path / "export", PredictParams(input=str(images)))


def test_without_an_input_the_setting_is_named() -> None:
    with pytest.raises(ProjectError, match=r"^predict\.input: is not set"):
        predict_job(NO_EXPORT, PredictParams())


def test_as_a_user_runs_it(tmp_path: Path, model: Path, images: Path) -> None:
    (tmp_path / "project").mkdir()
    project = new_project(tmp_path / "project")
    settings = f"predict.input={images},predict.model={model}"
    error = error_of(project, "--pipelines", "predict", "--params", settings)
    output = project / "data" / "test" / "07_model_output" / "user"
    assert re.search(r"2 of 8 image\(s\).*cut\.jpg.*text\.png", error)
    assert "cut.jpg" in (output / "index.html").read_text(encoding="utf-8")


def test_an_image_whose_prediction_is_not_finite_is_named_and_the_others_go_on(
    tmp_path, model
) -> None:
    (tmp_path / "in").mkdir()
    image(tmp_path / "in/dark.png", codes()[:16, :16] // 4)
    image(tmp_path / "in/white.png", np.full((16, 16, 3), 255, np.uint8))
    params = PredictParams(input=str(tmp_path / "in"), model=str(model), device="cpu")
    job = predict_job(NO_EXPORT, params)

    def overflow(_module, inputs: tuple) -> tuple:
        return tuple(torch.where(x.mean() > 0.9, torch.nan, x) for x in inputs)

    job.model.autoencoder.encoder.register_forward_pre_hook(overflow)
    dataset = UserPredictionsDataset(filepath=str(tmp_path / "out"))
    dataset.save(job)
    reasons = {record["name"]: record["reason"] for record in dataset.load()["images"]}
    assert reasons["dark.png"] == ""
    assert re.search(r"predict\.precision fp32: .* not finite", reasons["white.png"])
    assert not list((tmp_path / "out").glob("white*"))


def test_a_model_that_gives_no_finite_image_writes_none(tmp_path, model, images) -> None:
    params = PredictParams(input=str(images), model=str(model), device="cpu")
    job = predict_job(NO_EXPORT, params)
    torch.nn.init.constant_(job.model.denoiser.unet.conv_out.bias, torch.nan)
    dataset = UserPredictionsDataset(filepath=str(tmp_path / "out"))
    dataset.save(job)
    assert all(record["reason"] for record in dataset.load()["images"])
    assert {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()} <= {
        "index.json",
        ".lock",
    }
