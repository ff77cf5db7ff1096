"""Results of the user's images: made once, recorded last, never mixed up."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError

from albedo_pipeline.artifacts.user_predictions import UserImage, UserPredictionsDataset
from albedo_pipeline.artifacts.user_results import UserPrediction
from albedo_pipeline.errors import BadSampleError
from albedo_pipeline.params.predict import OutputParams


class GreyJob:
    """Predicts a grey albedo; images whose file holds "bad" cannot be used."""

    others, companions, files, cluster = 2, 3, OutputParams(), None
    sequences: tuple = ()

    def __init__(self, folder: Path, cache_key: str = "key", fails_at: str = "") -> None:
        self.cache_key, self._fails_at = cache_key, fails_at
        paths = sorted(path for path in folder.rglob("*.png"))
        names = [path.relative_to(folder).as_posix() for path in paths]
        self.images = [
            UserImage(name, path, name.removesuffix(".png"))
            for name, path in zip(names, paths, strict=True)
        ]
        self.settings = {"steps": 1}
        self.made: list[str] = []

    def plan(self, images: list[UserImage]) -> str:
        return f"{len(images)} grey image(s)"

    def make(self, image: UserImage) -> UserPrediction:
        if image.name == self._fails_at:
            raise OSError("no space left")
        if not image.path.is_file() or image.path.read_text() == "bad":
            raise BadSampleError("not an\nimage")
        self.made.append(image.name)
        albedo = np.full((8, 12, 3), 0.5, np.float16)
        return UserPrediction(np.zeros((8, 12, 3), np.uint16), albedo, None, {"tiles": 0})


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with three good files and a bad one."""
    folder = tmp_path / "in"
    (folder / "room").mkdir(parents=True)
    for name, text in {"a": "1", "b": "bad", "c": "2", "room/a": "3"}.items():
        (folder / f"{name}.png").write_text(text)
    return folder


@pytest.fixture
def dataset(tmp_path: Path) -> UserPredictionsDataset:
    return UserPredictionsDataset(filepath=str(tmp_path / "out"))


def test_the_index_has_a_record_of_each_image(
    dataset: UserPredictionsDataset, pictures: Path, tmp_path: Path
) -> None:
    dataset.save(GreyJob(pictures))
    found = dataset.load()
    assert (found["settings"], found["others"], found["companions"]) == ({"steps": 1}, 2, 3)
    reasons = {record["name"]: record["reason"] for record in found["images"]}
    assert reasons == {"a.png": "", "b.png": "not an image", "c.png": "", "room/a.png": ""}
    for record in found["images"]:
        files = record.get("files", {})
        assert all((tmp_path / "out" / name).is_file() for name in files.values())
        assert bool(files) == (record["reason"] == "")


def test_only_what_is_missing_or_changed_is_made(
    dataset: UserPredictionsDataset, pictures: Path, tmp_path: Path
) -> None:
    dataset.save(GreyJob(pictures))
    again = GreyJob(pictures)
    dataset.save(again)
    assert again.made == []
    (pictures / "a.png").write_text("changed")
    (tmp_path / "out" / "c_albedo.exr").unlink()
    (tmp_path / "out" / "room" / "a_albedo.json").write_text("{")
    again = GreyJob(pictures)
    dataset.save(again)
    assert again.made == ["a.png", "c.png", "room/a.png"]


def test_another_cache_key_makes_everything_again(
    dataset: UserPredictionsDataset, pictures: Path
) -> None:
    dataset.save(GreyJob(pictures))
    other = GreyJob(pictures, cache_key="other")
    dataset.save(other)
    assert other.made == ["a.png", "c.png", "room/a.png"]


def test_a_failed_run_is_continued(dataset: UserPredictionsDataset, pictures: Path) -> None:
    with pytest.raises(DatasetError, match="no space left"):
        dataset.save(GreyJob(pictures, fails_at="c.png"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="out: no finished predictions here; run the pipeline"):
        dataset.load()
    again = GreyJob(pictures)
    dataset.save(again)
    assert again.made == ["c.png", "room/a.png"]


def test_an_image_that_became_bad_leaves_no_old_results(
    dataset: UserPredictionsDataset, pictures: Path, tmp_path: Path
) -> None:
    dataset.save(GreyJob(pictures))
    (pictures / "a.png").write_text("bad")
    dataset.save(GreyJob(pictures))
    assert not list((tmp_path / "out").glob("a_*"))


def test_results_of_another_image_are_not_replaced(
    dataset: UserPredictionsDataset, pictures: Path, tmp_path: Path
) -> None:
    dataset.save(GreyJob(pictures))
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.png").write_text("other")
    dataset.save(GreyJob(other))
    reason = dataset.load()["images"][0]["reason"]
    assert reason.startswith(f"its results would replace those of {pictures / 'a.png'}; move")
    record = json.loads((tmp_path / "out" / "a_albedo.json").read_text(encoding="utf-8"))
    assert record["signature"].startswith(f"{pictures / 'a.png'}:")
    (pictures / "a.png").unlink()  # results whose image is gone may be replaced
    dataset.save(GreyJob(other))
    assert dataset.load()["images"][0]["reason"] == ""


def test_a_bad_image_never_removes_the_results_of_another(
    dataset: UserPredictionsDataset, pictures: Path, tmp_path: Path
) -> None:
    dataset.save(GreyJob(pictures))
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.png").symlink_to("gone")
    dataset.save(GreyJob(other))
    assert dataset.load()["images"][0]["reason"].startswith("its results would replace those of")
    assert (tmp_path / "out" / "a_albedo.exr").is_file()


def test_links_that_lead_nowhere_are_bad_images(
    dataset: UserPredictionsDataset, pictures: Path
) -> None:
    (pictures / "circle.png").symlink_to("circle.png")
    (pictures / "dangling.png").symlink_to("gone")
    dataset.save(GreyJob(pictures))
    reasons = {record["name"]: record["reason"] for record in dataset.load()["images"]}
    assert all(reasons[f"{name}.png"] for name in ("b", "circle", "dangling"))
    assert not any(reasons[f"{name}.png"] for name in ("a", "c", "room/a"))


def test_results_whose_name_is_not_utf_8_have_a_reason(
    dataset: UserPredictionsDataset, pictures: Path
) -> None:
    (pictures / "c.png").rename(os.fsdecode(os.fsencode(pictures) + b"/n\xff.png"))
    dataset.save(GreyJob(pictures))
    reasons = {record["name"]: record["reason"] for record in dataset.load()["images"]}
    assert reasons["n\udcff.png"] == "its name is not UTF-8; rename the file or its folder"
    assert reasons["a.png"] == ""


def test_results_are_found_again_in_a_locale_without_unicode(
    dataset: UserPredictionsDataset, pictures: Path, tmp_path: Path
) -> None:
    (pictures / "c.png").rename(pictures / "ünï.png")
    dataset.save(GreyJob(pictures))
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.artifacts.test_user_predictions import GreyJob, UserPredictionsDataset\n"
        "assert sys.getfilesystemencoding() == 'ascii'\n"
        "job, dataset = GreyJob(Path(sys.argv[1])), UserPredictionsDataset(filepath=sys.argv[2])\n"
        "dataset.save(job)\n"
        "assert [r['name'] for r in dataset.load()['images'] if r['reason']] == ['b.png']\n"
    )
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run(
        [sys.executable, "-c", code, pictures, tmp_path / "out"],
        env=os.environ | plain,
        check=True,
    )
    again = GreyJob(pictures)
    dataset.save(again)
    assert set(again.made) <= {"ünï.png"}
    assert (tmp_path / "out" / "ünï_albedo.exr").is_file()


def test_results_that_have_another_name_now_are_removed(
    dataset: UserPredictionsDataset, pictures: Path, tmp_path: Path
) -> None:
    dataset.save(GreyJob(pictures))
    out = tmp_path / "out"
    (out / "a_albedo.txt").write_text("mine")
    job = GreyJob(pictures)
    job.images[0] = replace(job.images[0], output="a.png")
    dataset.save(job)
    assert job.made == ["a.png"]
    assert [path.name for path in out.glob("a_*")] == ["a_albedo.txt"]
    assert not [*(out / "thumbnails").glob("a_*")]
    assert (out / "a.png_albedo.exr").is_file()
    assert (out / "room" / "a_albedo.exr").is_file()


def test_results_of_earlier_inputs_stay_and_are_named(
    dataset: UserPredictionsDataset, pictures: Path, tmp_path: Path, caplog
) -> None:
    dataset.save(GreyJob(pictures))
    (tmp_path / "out" / "foreign_albedo.json").write_text("[]")
    (pictures / "c.png").unlink()
    with caplog.at_level("INFO"):
        dataset.save(GreyJob(pictures / "room"))
    assert "also has the results of 2 earlier input(s): c, room/a" in caplog.text
    assert (tmp_path / "out" / "c_albedo.exr").is_file()
    assert (tmp_path / "out" / "foreign_albedo.json").is_file()


def test_results_are_no_inputs(tmp_path: Path, pictures: Path) -> None:
    dataset = UserPredictionsDataset(filepath=str(pictures / "room"))
    job = GreyJob(pictures)
    dataset.save(job)
    assert job.made == ["a.png", "c.png"]
    assert dataset.load()["others"] == 3
    with pytest.raises(DatasetError, match=r"predict\.input: all its images are results in"):
        UserPredictionsDataset(filepath=str(pictures)).save(GreyJob(pictures))
