"""`predict.sequence`: shots keep exposure and noise, and a video shows them."""

from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.artifacts.user_predictions import UserPredictionsDataset
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.io.film import FilmReader, read_film
from albedo_pipeline.imaging.io.film_writer import write_gif, write_mp4
from albedo_pipeline.imaging.io.read import read_colour
from albedo_pipeline.inference import predict_job as predict_job_module
from albedo_pipeline.inference.predict_job import predict_job
from albedo_pipeline.params import PredictParams
from albedo_pipeline.reporting.user_page import user_page
from tests.support.broken_images import image, noise, text
from tests.support.marigold import save_marigold


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A diffusion model, whose result depends on the noise."""
    return save_marigold(tmp_path_factory.mktemp("model"))


def run(folder: Path, model: Path, **settings) -> dict:
    """Predict the frames in `folder / "in"`, and return the summary."""
    params = PredictParams(input=str(folder / "in"), model=str(model), device="cpu", **settings)
    dataset = UserPredictionsDataset(filepath=str(folder / "out"))
    dataset.save(predict_job(Path("no/export"), params))
    return dataset.load()


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    """Six EXR frames: a scene that does not change except for a lamp in the corner, then a cut."""
    folder = tmp_path / "in"
    folder.mkdir()
    scene, other = noise(32, 40)[..., :3], noise(72, 80)[40:, 40:]
    for number in range(6):
        pixels = (scene if number < 4 else other).copy()
        pixels[:12, :12] = 0.2 + 3 * (number == 0)
        image(folder / f"shot.{number + 1:04d}.exr", pixels)
    return tmp_path


def test_a_shot_has_one_exposure_and_one_noise(shot: Path, model: Path) -> None:
    summary = run(shot, model, sequence=True)
    records = summary["images"]
    assert [r["shot"] for r in records] == [1, 1, 1, 1, 2, 2]
    assert len({r["exposure"] for r in records[:4]}) == 1
    assert len({r["exposure"] for r in records[4:]}) == 1
    albedos = [read_colour(shot / "out" / r["files"]["exr"], 10_000).pixels for r in records]
    assert np.array_equal(albedos[2], albedos[3])  # equal frames, bit for bit
    assert np.array_equal(albedos[4], albedos[5])
    sequence = summary["sequences"][0]
    assert (sequence["name"], sequence["frames"], sequence["shots"]) == (
        "shot.[0001-0006].exr",
        6,
        2,
    )


def test_without_sequence_equal_frames_differ(shot: Path, model: Path) -> None:
    summary = run(shot, model)
    records = summary["images"]
    assert summary["sequences"] == []
    assert len({r["exposure"] for r in records[:4]}) == 2
    albedos = [read_colour(shot / "out" / r["files"]["exr"], 10_000).pixels for r in records]
    assert not np.array_equal(albedos[2], albedos[3])


def test_the_flicker_is_that_of_the_written_files(shot: Path, model: Path) -> None:
    for number in (1, 2, 5, 6):
        (shot / "in" / f"shot.{number:04d}.exr").unlink()
    sequence = run(shot, model, sequence=True)["sequences"][0]
    assert (sequence["flicker"], sequence["still_share"]) == (0.0, 1.0)


@pytest.mark.parametrize("kind", ["mp4", "gif"])
def test_the_video_shows_every_frame_beside_its_albedo(shot: Path, model: Path, kind: str) -> None:
    if kind == "mp4":
        pytest.importorskip("av")
    settings = {"sequence": True, "output": {"video": kind}, "frames_per_second": 10}
    summary = run(shot, model, **settings)
    video = shot / "out" / summary["sequences"][0]["files"]["video"]
    assert video.name == f"shot_side_by_side.{kind}"
    film = read_film(video)
    # 40 x 32 pixels, enlarged six times, and twice as wide.
    assert (film.width, film.height) == (480, 192)
    assert film.frames / film.frames_per_second == pytest.approx(0.6)
    assert film.frames == 6 if kind == "mp4" else 4  # a GIF shows equal frames as one
    frame = FilmReader(10**6).read(video, film.frames - 1)[..., :3]
    albedo = read_colour(shot / "out" / "shot.0006_albedo.png", 10_000).pixels
    assert np.abs(frame[::6, 240::6][2:-2, 2:-2] - albedo[2:-2, 2:-2]).mean() < 0.03
    page = user_page(summary)
    assert "6 frames in 2 shots, 10 frames per second" in page
    assert f"./shot_side_by_side.{kind}" in page


def test_a_second_run_makes_nothing_and_a_changed_frame_makes_all_again(
    shot: Path, model: Path
) -> None:
    def states() -> dict[str, int]:
        files = (shot / "out").rglob("shot*")
        return {path.name: path.stat().st_mtime_ns for path in files}

    first = run(shot, model, sequence=True)
    before = states()
    assert run(shot, model, sequence=True) == first
    assert states() == before
    (shot / "out" / "shot_side_by_side.mp4").unlink()
    run(shot, model, sequence=True)
    changed = {name for name, state in states().items() if before[name] != state}
    assert changed == {"shot_side_by_side.mp4", "shot_sequence.json"}
    image(shot / "in" / "shot.0003.exr", noise(32, 40)[..., :3] * 2)
    before = states()
    run(shot, model, sequence=True)
    assert all(states()[name] != before[name] for name in before)


def test_frames_of_a_gif_and_of_a_video_are_predicted(tmp_path: Path, model: Path) -> None:
    pytest.importorskip("av")
    (tmp_path / "in").mkdir()
    picture = (noise(32, 40) * 255).astype(np.uint8)
    write_gif(tmp_path / "in" / "move.gif", [picture, np.roll(picture, 2, axis=1)], 25)
    write_mp4(tmp_path / "in" / "film.mp4", [picture] * 3, 24)
    summary = run(tmp_path, model, sequence=True)
    assert [(s["name"], s["frames"], s["frames_per_second"]) for s in summary["sequences"]] == [
        ("film.mp4", 3, 24),
        ("move.gif", 2, 25),
    ]
    assert {r["name"]: r["reason"] for r in summary["images"]} == {
        **{f"film.mp4/000{n}": "" for n in (1, 2, 3)},
        **{f"move.gif/000{n}": "" for n in (1, 2)},
    }
    assert (tmp_path / "out" / "move.gif" / "0002_albedo.exr").is_file()
    assert (tmp_path / "out" / "film.mp4_side_by_side.mp4").is_file()


def test_without_sequence_an_animation_is_named(tmp_path: Path, model: Path) -> None:
    (tmp_path / "in").mkdir()
    picture = (noise(16, 16) * 255).astype(np.uint8)
    write_gif(tmp_path / "in" / "move.gif", [picture, picture[::-1]], 25)
    write_gif(tmp_path / "in" / "still.gif", [picture], 25)
    text(tmp_path / "in" / "film.mp4")
    summary = run(tmp_path, model)
    assert {r["name"]: r["reason"] for r in summary["images"]} == {
        "move.gif": "an animation of 2 frames; set predict.sequence to true to predict them all, "
        "or save one frame as PNG",
        "still.gif": "",
    }
    assert summary["others"] == 1  # a video is no image


def test_bad_frames_are_named_and_the_others_are_shown(shot: Path, model: Path) -> None:
    text(shot / "in" / "shot.0002.exr")
    image(shot / "in" / "shot.0003.exr", noise(16, 16))
    summary = run(shot, model, sequence=True)
    reasons = {r["name"]: r["reason"] for r in summary["images"] if r["reason"]}
    assert set(reasons) == {"shot.0002.exr", "shot.0003.exr"}
    assert reasons["shot.0003.exr"] == (
        "16 x 16 pixels, but its sequence begins with 40 x 32; move it to another folder"
    )
    sequence = summary["sequences"][0]
    assert (sequence["frames"], sequence["failed"]) == (4, 2)


def test_a_missing_pyav_is_named_before_the_work(
    shot: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict_job_module, "find_spec", lambda _: None)
    with pytest.raises(ProjectError, match=r"^predict\.output\.video: mp4 needs PyAV; run pip"):
        run(shot, model, sequence=True)
    run(shot, model, sequence=True, output={"video": None})


def test_settings_of_sequences_keep_the_results_of_single_images(shot: Path, model: Path) -> None:
    def key(**settings) -> str:
        params = PredictParams(input=str(shot / "in"), model=str(model), device="cpu", **settings)
        return predict_job(Path("no/export"), params).cache_key

    assert key(output={"video": None}, frames_per_second=12) == key()
    assert key(sequence=True) != key()
