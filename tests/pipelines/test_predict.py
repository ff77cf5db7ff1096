"""`predict`: the user's own images, whatever they are, come back with an albedo or a reason."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError

from albedo_pipeline.artifacts.exported_model import ProjectModelDataset
from albedo_pipeline.artifacts.user_predictions import UserPredictionsDataset
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.io.read import read_colour
from albedo_pipeline.inference.predict_job import check_all_done, predict_job
from albedo_pipeline.inference.tiled_prediction import predict_picture
from albedo_pipeline.inference.user_images import read_beauty
from albedo_pipeline.params import PredictParams
from albedo_pipeline.runtime.locks import locked
from tests.support.broken_images import codes, cut, image, noise, text
from tests.support.marigold import save_marigold
from tests.support.project import new_project, run_kedro

HOSTILE = "<img src=x onerror=alert(1)>"
TWO = {
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
    return save_marigold(tmp_path_factory.mktemp("linear"), TWO)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Good ones of every kind, bad ones, and a file that is none."""
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


def run(output: Path, model: Path, source: Path | str, **settings) -> dict:
    """What a run tells; it does not fail for bad images."""
    params = PredictParams(input=str(source), model=str(model), device="cpu", **settings)
    dataset = UserPredictionsDataset(filepath=str(output))
    dataset.save(predict_job(lambda: None, params))
    return dataset.load()


def states(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("index.json", "index.html")
    }


def test_good_ones_are_done_and_bad_ones_named(tmp_path, model, pictures) -> None:
    output = tmp_path / "out"
    told = run(output, model, pictures)
    reasons = {record["name"]: record["reason"] for record in told["images"]}
    assert list(reasons) == sorted(reasons)
    assert {name for name, reason in reasons.items() if reason} == {"cut.jpg", "text.png"}
    assert told["others"] == 1
    for name in ("a.png", "a.hdr", "room/deep", "half", "array", HOSTILE):
        assert (output / f"{name}_albedo.exr").is_file()
        assert (output / f"{name}_albedo.png").is_file()
    with pytest.raises(ProjectError, match=r"2 of 8 image\(s\) could not be used.*: cut\.jpg: "):
        check_all_done(told)
    spaces = {r["name"]: r["space"] for r in told["images"] if not r["reason"]}
    assert {n for n, space in spaces.items() if space == "linear"} == {
        "a.hdr",
        "array.npy",
        "half.exr",
    }
    assert not list(output.rglob(".*.partial*"))


def test_a_second_run_makes_nothing_and_a_change_only_its_own(tmp_path, model, pictures) -> None:
    output = tmp_path / "out"
    first = run(output, model, pictures)
    before = states(output)
    assert run(output, model, pictures) == first
    assert states(output) == before
    image(pictures / "a.png", codes()[:24, :40])
    run(output, model, pictures)
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
    run(output, model, pictures)
    changed = {name for name, state in states(output).items() if before.get(name) != state}
    assert {name for name in changed if name.endswith(".exr")} == {
        "half_albedo.exr",
        "array_albedo.exr",
    }


def test_other_settings_or_another_model_make_all_anew(tmp_path, model, linear_model) -> None:
    image(tmp_path / "a.png", codes()[:16, :16])
    output = tmp_path / "out"
    digests = set()
    for folder, settings in ((model, {}), (model, {"ensemble": 2}), (linear_model, {})):
        run(output, folder, tmp_path / "a.png", **settings)
        digests.add(json.loads((output / "a_albedo.json").read_text(encoding="utf-8"))["recipe"])
        assert (output / "a_uncertainty.exr").is_file() == bool(settings)
    assert len(digests) == 3


def test_a_run_that_is_stopped_goes_on(tmp_path, model, pictures) -> None:
    output, params = tmp_path / "out", PredictParams(input=str(pictures), model=str(model))
    work, made = predict_job(lambda: None, params), []

    class Stopped:
        images, others, cache_key = work.images, work.others, work.cache_key
        settings = work.settings

        def make(self, image):
            if len(made) == 3:
                raise KeyboardInterrupt
            made.append(image.name)
            return work.make(image)

    with pytest.raises(KeyboardInterrupt):
        UserPredictionsDataset(filepath=str(output)).save(Stopped())
    before = states(output)
    assert len([name for name in before if name.endswith("_albedo.json")]) == 3
    told = run(output, model, pictures)
    assert len(told["images"]) == 8
    assert before.items() <= states(output).items()


def test_one_run_at_a_time_in_a_folder(tmp_path, model, pictures) -> None:
    with (
        locked(tmp_path / "out", "another predict"),
        pytest.raises(DatasetError, match=r"out: another predict writes here \(process \d+ on "),
    ):
        run(tmp_path / "out", model, pictures)


def test_a_picture_that_went_bad_leaves_no_old_albedo(tmp_path, model) -> None:
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
    work = predict_job(lambda: None, params)
    UserPredictionsDataset(filepath=str(tmp_path / "out")).save(work)
    assert work.model.space == kind
    stored = read_beauty(source, params).stored
    expected = predict_picture(work._estimator, stored, "a.exr", work._layout).albedo
    written = read_colour(tmp_path / "out" / "a_albedo.exr", 10**6)
    assert written.type == "half"
    np.testing.assert_allclose(written.pixels, expected, atol=1e-3)
    shown = read_colour(tmp_path / "out" / "a_albedo.png", 10**6)
    assert shown.type == "uint8"
    np.testing.assert_allclose(shown.pixels, encode_srgb(expected), atol=0.6 / 255)


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
    sources[0].rename(tmp_path / "elsewhere.png")  # then they are nobody's
    assert not run(output, model, sources[1])["images"][0]["reason"]
    assert states(output) != before


def test_results_are_never_inputs(tmp_path: Path, model: Path) -> None:
    image(tmp_path / "a.png", codes()[:16, :16])
    for _ in range(2):
        told = run(tmp_path / "out", model, tmp_path)
        assert [record["name"] for record in told["images"]] == ["a.png"]


def test_too_long_a_name_is_a_bad_image(tmp_path: Path, model: Path) -> None:
    image(tmp_path / f"{'x' * 240}.png", codes()[:16, :16])
    told = run(tmp_path / "out", model, tmp_path)
    assert "too long" in told["images"][0]["reason"]


def test_the_projects_own_model(model: Path) -> None:
    assert ProjectModelDataset(filepath=str(model)).load()().default_resolution == 32


def test_no_model_at_all(tmp_path: Path) -> None:
    load = ProjectModelDataset(filepath=str(tmp_path / "export")).load()
    with pytest.raises(ProjectError, match=r"predict\.model: is not set, and .*export holds no"):
        load()


def test_no_input_at_all() -> None:
    with pytest.raises(ProjectError, match=r"^predict\.input: is not set"):
        predict_job(lambda: None, PredictParams())


def test_as_a_user_runs_it(tmp_path: Path, model: Path, pictures: Path) -> None:
    (tmp_path / "project").mkdir()
    project = new_project(tmp_path / "project")
    asked = ("run", "--pipelines", "predict", "--params")
    result = run_kedro(project, *asked, f"predict.input={pictures},predict.model={model}")
    output = project / "data" / "test" / "07_model_output" / "user"
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    error = result.stderr[result.stderr.rindex("Error: ") :].strip()
    assert re.search(r"2 of 8 image\(s\).*cut\.jpg.*text\.png", error)
    assert "\n" not in error
    assert "cut.jpg" in (output / "index.html").read_text(encoding="utf-8")
