"""Which images there are where the user points, and their beauty as the model wants it."""

import re
from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.inference.user_images import find_images, output_names, read_beauty
from albedo_pipeline.params import PredictParams
from tests.support.broken_images import image, text


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Names alone."""
    folder = tmp_path / "in"
    (folder / "room").mkdir(parents=True)
    for name in ("a.png", "a.hdr", "half.exr", "room/deep.tif", "readme.txt", ".hidden.png"):
        (folder / name).write_bytes(b"")
    return folder


def test_unsound_and_transparent_pixels(tmp_path: Path) -> None:
    pixels = np.full((8, 8, 3), 0.5, np.float32)
    pixels[0], pixels[1, :4] = np.nan, -1
    path = image(tmp_path / "a.exr", pixels)
    params = PredictParams(exposure={"policy": "fixed", "stops": -1})
    beauty = read_beauty(path, params)
    assert beauty.record["nonfinite_share"] == 8 / 64
    assert beauty.record["negative_share"] == 4 / 64
    assert beauty.record["exposure"] == 0.5
    assert not beauty.stored[0].any()
    np.testing.assert_allclose(beauty.stored[2] / 65535, encode_srgb(np.float32(0.25)), atol=1e-4)
    see_through = np.full((8, 8, 4), 200, np.uint8)
    see_through[..., 3] = 255
    see_through[:2, :, 3] = 0
    path = image(tmp_path / "b.png", see_through, ("R", "G", "B", "A"))
    assert read_beauty(path, params).record["transparent_share"] == 0.25


def test_folder_pattern_and_single_file(pictures: Path, monkeypatch) -> None:
    monkeypatch.chdir(pictures)

    def names(where: str) -> list[str]:
        return [found.name for found in find_images(where).images]

    assert names(str(pictures)) == ["a.hdr", "a.png", "half.exr", "room/deep.tif"]
    assert find_images(str(pictures)).others == 2
    assert names(str(pictures / "*.exr")) == ["half.exr"]
    assert names("**/*.tif") == ["room/deep.tif"]
    assert names(str(pictures / "room" / "deep.tif")) == ["deep.tif"]
    (pictures / "odd[1].png").write_bytes(b"")
    assert names(str(pictures / "odd[1].png")) == ["odd[1].png"]
    (pictures / "take [2]").mkdir()
    (pictures / "take [2]" / "b.png").write_bytes(b"")
    assert names(str(pictures / "take [2]" / "*.png")) == ["b.png"]


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("nowhere", "no such file or folder"),
        ("*.bmp", "no file matches the pattern"),
        ("empty", "an empty folder"),
        ("texts", r"no image among 1 file\(s\)"),
    ],
)
def test_nothing_found(tmp_path: Path, where: str, reason: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    text(tmp_path / "texts" / "readme.txt")
    with pytest.raises(ProjectError, match=rf"^predict\.input: .*{re.escape(where)}: {reason}"):
        find_images(str(tmp_path / where))


def test_names_of_results_are_unique() -> None:
    names = ["a.png", "a.exr", "b.png", "a.png.exr", "c/a.png"]
    assert output_names(names) == ["a.png", "a.exr", "b", "a.png.exr", "c/a"]
