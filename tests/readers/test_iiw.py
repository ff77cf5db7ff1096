"""IIW: photographs with judgements in the published layout, complete and damaged."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from albedo_pipeline.errors import BadSampleError
from albedo_pipeline.imaging.io.write import write_png
from albedo_pipeline.metrics.whdr import Judgement
from albedo_pipeline.readers.iiw import IIWDataset
from tests.support.colour_files import DISPLAY_P3
from tests.support.companions import add_companions

POINTS = [
    {"id": 7, "x": 0.25, "y": 0.5, "opaque": True},
    {"id": 8, "x": 0.75, "y": 0.125, "opaque": True},
    {"id": 9, "x": 0.5, "y": 0.5, "opaque": False},
]
COMPARED = {"point1": 7, "point2": 8, "darker": "2", "darker_score": 1.5}


def save(folder: Path, points: list, comparisons: object) -> Path:
    """Photograph 117 with its judgements."""
    write_png(folder / "117.png", np.full((4, 6, 3), 51, np.uint8))
    content = {"intrinsic_points": points, "intrinsic_comparisons": comparisons}
    (folder / "117.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_the_photograph_and_its_judgements(tmp_path: Path) -> None:
    hidden = COMPARED | {"point2": 9}
    undecided = COMPARED | {"darker": None, "darker_score": None}
    save(tmp_path, POINTS, [COMPARED, hidden, undecided])
    (photo,) = IIWDataset(filepath=str(tmp_path)).load()
    assert (photo.name, photo.group) == ("117", "117")
    np.testing.assert_allclose(photo.read(), np.full((4, 6, 3), 0.2), atol=1e-6)
    # The hidden point's is left out; the undecided one counts for nothing.
    assert photo.read_known() == [
        Judgement(0.25, 0.5, 0.75, 0.125, "2", 1.5),
        Judgement(0.25, 0.5, 0.75, 0.125, None, 0),
    ]


def test_grey_and_tagged_photographs_are_srgb(tmp_path: Path) -> None:
    save(tmp_path, POINTS, [COMPARED])
    (photo,) = IIWDataset(filepath=str(tmp_path)).load()
    Image.new("L", (6, 4), 51).save(tmp_path / "117.png")
    np.testing.assert_allclose(photo.read(), np.full((4, 6, 3), 0.2), atol=1e-6)
    picture = Image.new("RGB", (6, 4), (200, 100, 50))
    picture.save(tmp_path / "117.png", icc_profile=DISPLAY_P3)
    # LittleCMS gives (215, 93, 31).
    np.testing.assert_allclose(photo.read()[0, 0] * 255, (215, 93, 31), atol=1)


def test_in_a_tar(tmp_path: Path) -> None:
    save(tmp_path / "data", POINTS, [COMPARED])
    with tarfile.open(tmp_path / "iiw.tar", "w") as archive:
        archive.add(tmp_path / "data", "data")
    (photo,) = IIWDataset(filepath=str(tmp_path / "iiw.tar")).load()
    assert photo.name == "data/117"
    assert photo.read().shape == (4, 6, 3)
    assert len(photo.read_known()) == 1


def test_companions_are_no_photographs(tmp_path: Path) -> None:
    """Every fifth photograph is chosen, so one too many would change all that follow."""
    add_companions(save(tmp_path, POINTS, [COMPARED]))
    (photo,) = IIWDataset(filepath=str(tmp_path), split="all").load()
    assert photo.name == "117"


@pytest.mark.parametrize(
    ("point", "comparison", "reason"),
    [
        ({"x": 1.5}, {}, r"point 7: x is 1\.5, expected 0 to 1"),
        ({"y": -0.25}, {}, r"point 7: y is -0\.25, expected 0 to 1"),
        ({"x": float("nan")}, {}, "point 7: x is nan"),
        ({"x": None}, {}, "not a file of judgements"),
        ({"x": "0.25"}, {}, "not a file of judgements"),
        ({}, {"darker_score": "1.5"}, "not a file of judgements"),
        ({}, {"darker_score": float("inf")}, "darker_score is inf"),
        ({}, {"point1": 70}, "the judgements have no 70"),
    ],
)
def test_bad_values_name_the_file(
    tmp_path: Path, point: dict, comparison: dict, reason: str
) -> None:
    save(tmp_path, [POINTS[0] | point, *POINTS[1:]], [COMPARED | comparison])
    with pytest.raises(BadSampleError, match=rf"^117\.json: .*{reason}"):
        IIWDataset(filepath=str(tmp_path)).load()[0].read_known()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b"[1]"])
def test_not_judgements(tmp_path: Path, content: bytes) -> None:
    (save(tmp_path, [], []) / "117.json").write_bytes(content)
    with pytest.raises(BadSampleError, match=r"^117\.json: not a file of judgements"):
        IIWDataset(filepath=str(tmp_path)).load()[0].read_known()
