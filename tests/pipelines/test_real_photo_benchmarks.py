"""`iiw` and `maw`: small data sets in the published layouts, scored with an exported model."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.evaluation.photographs import IIW, iiw_scores, maw_scores, score_photos
from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb
from albedo_pipeline.imaging.io.write import write_png
from albedo_pipeline.metrics.maw import ADOBE_TO_REC709
from albedo_pipeline.models.albedo_model import load_albedo_model
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.readers.iiw import IIWDataset
from albedo_pipeline.readers.maw import MAWDataset
from tests.support.marigold import save_marigold
from tests.support.project import new_project, run_kedro

LEFT, RIGHT = {"id": 1, "x": 0.2, "y": 0.5}, {"id": 2, "x": 0.8, "y": 0.5}


def halves(left: float, right: float) -> np.ndarray:
    """An image with a grey left half and another grey right half, [24, 32, 3]."""
    image = np.full((24, 32, 3), left, np.float32)
    image[:, 16:] = right
    return image


def save_photo(path: Path, encoded: np.ndarray) -> None:
    write_png(path, np.rint(encoded * 255).astype(np.uint8))


def write_judgement(
    path: Path, darker: str | None, weight: float | None, opaque: bool = True
) -> None:
    points = [point | {"opaque": opaque} for point in (LEFT, RIGHT)]
    compared = [{"point1": 1, "point2": 2, "darker": darker, "darker_score": weight}]
    content = {"intrinsic_points": points, "intrinsic_comparisons": compared}
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def iiw(tmp_path: Path) -> Path:
    folder = tmp_path / "iiw"
    for number in (9, 10, 54, 101, 102, 117):
        save_photo(folder / f"{number}.png", halves(0.3, 0.8))
        write_judgement(folder / f"{number}.json", "1", 1.0)
    return folder


def test_the_test_split_is_every_fifth_photograph_by_number(iiw: Path) -> None:
    assert [p.name for p in IIWDataset(filepath=str(iiw)).load()] == ["9", "117"]
    everything = IIWDataset(filepath=str(iiw), split="all").load()
    assert [p.name for p in everything] == ["9", "10", "54", "101", "102", "117"]


def test_the_score_of_a_judgement_by_hand(iiw: Path) -> None:
    photo = IIWDataset(filepath=str(iiw)).load()[0]
    (judgement,) = photo.read_known()
    assert tuple(judgement) == (0.2, 0.5, 0.8, 0.5, "1", 1.0)
    light = decode_srgb(photo.read())
    assert iiw_scores(light, [judgement]) == {"whdr": 0.0}
    assert iiw_scores(light[:, ::-1], [judgement]) == {"whdr": 1.0}


@pytest.mark.parametrize(("weight", "opaque"), [(None, True), (0.0, True), (1.0, False)])
def test_judgements_without_weight_or_of_transparent_points_do_not_count(
    iiw: Path, weight: float | None, opaque: bool
) -> None:
    write_judgement(iiw / "9.json", "1", weight, opaque)
    known = IIWDataset(filepath=str(iiw)).load()[0].read_known()
    assert np.isnan(iiw_scores(halves(0.1, 0.9), known)["whdr"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "9.json: not a file of judgements"),
        ("[]", "9.json: not a file of judgements"),
        ('{"intrinsic_points": []}', "9.json: the judgements have no 'intrinsic_comparisons'"),
    ],
)
def test_a_damaged_file_of_judgements_is_named(iiw: Path, content: str, reason: str) -> None:
    (iiw / "9.json").write_text(content, encoding="utf-8")
    with pytest.raises(BadSampleError, match=reason):
        IIWDataset(filepath=str(iiw)).load()[0].read_known()


def test_a_folder_without_photographs_and_an_unknown_split(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no <id>\.png with <id>\.json"):
        IIWDataset(filepath=str(tmp_path)).load()
    with pytest.raises(ProjectError, match="split: 'other' is not one of"):
        IIWDataset(filepath=str(tmp_path), split="other")


ADOBE = np.array([[0.2, 0.3, 0.4], [0.5, 0.5, 0.5]])


@pytest.fixture
def maw(tmp_path: Path) -> Path:
    """A photograph of two surfaces, 3 and 7 in the mask, that have exactly the measured colours."""
    folder = tmp_path / "maw"
    measured = ADOBE @ ADOBE_TO_REC709.T
    image = np.empty((240, 320, 3))
    image[:, :160], image[:, 160:] = measured
    labels = np.zeros((240, 320, 3), np.uint8)
    labels[40:200, 20:140], labels[40:200, 180:300] = 3, 7
    (folder / "labels" / "kitchen").mkdir(parents=True)
    np.save(folder / "labels" / "kitchen" / "colours.npy", ADOBE)
    write_png(folder / "labels" / "kitchen" / "mask.png", labels)
    row = ("kitchen/colours.npy", "kitchen/mask.png", "kitchen", "one", "gt.png", "")
    (folder / "labels" / "meta.csv").write_text("\t".join(row) + "\n", encoding="utf-8")
    save_photo(folder / "images_png" / "kitchen" / "one.png", encode_srgb(image))
    return folder


def test_the_scores_of_measured_surfaces_by_hand(maw: Path) -> None:
    (photo,) = MAWDataset(filepath=str(maw)).load()
    assert (photo.name, photo.group) == ("kitchen/one", "kitchen")
    measured = photo.read_known()
    assert sorted(np.unique(measured.labels)) == [0, 1, 2]
    albedo = decode_srgb(photo.read())
    exact = maw_scores(albedo, measured)
    assert exact["maw_intensity"] == pytest.approx(0, abs=1e-5)
    assert exact["maw_chromaticity"] == pytest.approx(0, abs=0.3)  # 8 bits
    # A scale of the entire image changes no score; a scale of one half does.
    assert maw_scores(albedo * 0.5, measured)["maw_intensity"] == pytest.approx(0, abs=1e-5)
    uneven = albedo.copy()
    uneven[:, :160] *= 0.5
    x, y = np.array([0.5, 1]) * (ADOBE @ ADOBE_TO_REC709.T).mean(1), measured.colours.mean(1)
    scale = (x * y).sum() / (x * x).sum()
    expected = ((scale * x - y) ** 2).mean()
    assert maw_scores(uneven, measured)["maw_intensity"] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("colours", [ADOBE[:1], np.concatenate([ADOBE, ADOBE])])
def test_a_mask_with_another_number_of_surfaces_than_colours(
    maw: Path, colours: np.ndarray
) -> None:
    """If a surface is missing, each later one would get the colour of the one before."""
    np.save(maw / "labels" / "kitchen" / "colours.npy", colours)
    (photo,) = MAWDataset(filepath=str(maw)).load()
    reason = rf"2 surface\(s\), but labels/kitchen/colours\.npy has {len(colours)}"
    with pytest.raises(BadSampleError, match=reason):
        photo.read_known()


def test_the_digest_depends_on_pixels_and_judgements(iiw: Path) -> None:
    def digest() -> str:
        return IIWDataset(filepath=str(iiw)).load()[0].digest()

    digests = [digest()]
    write_judgement(iiw / "9.json", "2", 1.0)
    digests.append(digest())
    save_photo(iiw / "9.png", halves(0.3, 0.7))
    digests.append(digest())
    assert len(set(digests)) == 3
    write_judgement(iiw / "9.json", "1", 1.0)
    save_photo(iiw / "9.png", halves(0.3, 0.8))
    assert digest() == digests[0]


def test_the_fingerprint_depends_on_the_scored_photographs_only(iiw: Path, tmp_path: Path) -> None:
    model = load_albedo_model(PretrainedModel(model=str(save_marigold(tmp_path / "model"))))
    params = EvaluateParams.model_validate({"steps": 1, "ensemble": {"members": 1}})

    def fingerprint() -> str:
        photos = IIWDataset(filepath=str(iiw), split="narihira_test").load()
        return score_photos(photos, model, IIW, params)[1]["protocol"]["fingerprint"]

    first = fingerprint()
    write_judgement(iiw / "10.json", "2", 1.0)  # not in the test split
    assert fingerprint() == first
    write_judgement(iiw / "9.json", "2", 1.0)
    assert fingerprint() != first


@pytest.mark.parametrize("name", ["../outside.npy", "/etc/passwd"])
def test_names_do_not_leave_the_root(maw: Path, name: str) -> None:
    row = (name, "kitchen/mask.png", "kitchen", "one")
    (maw / "labels" / "meta.csv").write_text("\t".join(row), encoding="utf-8")
    (photo,) = MAWDataset(filepath=str(maw)).load()
    with pytest.raises(BadSampleError):
        photo.read_known()


def test_a_line_with_too_few_columns_is_named(maw: Path) -> None:
    (maw / "labels" / "meta.csv").write_text("a,b,c\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"meta.csv, line 1: 1 column\(s\), expected colours"):
        MAWDataset(filepath=str(maw)).load()


@pytest.mark.slow
def test_both_as_a_user_runs_them(tmp_path: Path, iiw: Path, maw: Path) -> None:
    project = new_project(tmp_path / "project")
    save_marigold(project / "data" / "test" / "06_models" / "export")
    raw = project / "data" / "01_raw"
    shutil.copytree(maw, raw / "maw")
    shutil.copytree(iiw, raw / "iiw-dataset" / "data")
    (raw / "iiw-dataset" / "data" / "117.png").write_bytes(b"broken")
    result = run_kedro(project, "run", "--pipelines", "iiw,maw")
    assert result.returncode == 0, result.stderr
    reporting = project / "data" / "test" / "08_reporting"
    metrics = json.loads((reporting / "iiw_metrics.json").read_text())
    assert "117.png" in metrics["left_out"]["117"]
    assert metrics["test"]["n"] == 1
    assert metrics["test"]["beauty_as_albedo"]["whdr"]["mean"] == 0
    assert metrics["test"]["constant"]["whdr"]["mean"] == 1
    other = json.loads((reporting / "maw_metrics.json").read_text())
    assert other["protocol"]["fingerprint"] != metrics["protocol"]["fingerprint"]
    assert set(pd.read_parquet(reporting / "maw_per_sample.parquet")["method"]) == {
        "model",
        "beauty_as_albedo",
        "retinex",
        "constant",
    }
