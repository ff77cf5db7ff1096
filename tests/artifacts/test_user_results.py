"""The files of one prediction: their values in every colour space and format."""

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from albedo_pipeline.artifacts.user_results import UserPrediction, write_results
from albedo_pipeline.params.predict import OutputParams

LINEAR = (0.8, 0.4, 0.18)
SRGB = (0.9063317, 0.6651851, 0.4613561)
"""IEC 61966-2-1: 1.055 x ** (1 / 2.4) - 0.055."""
ACESCG = (0.6348155, 0.4251180, 0.2168870)
"""OpenColorIO's built-in configuration, Linear Rec.709 (sRGB) => ACEScg."""
PREDICTION = UserPrediction(
    np.zeros((6, 9, 3), np.uint16), np.full((6, 9, 3), LINEAR, np.float16), None, {}
)


def written(folder: Path, **output) -> dict[str, np.ndarray]:
    """The stored pixels of each file, of the file's own type."""
    files = write_results(folder, "a", PREDICTION, OutputParams(**output))
    opened = {k: oiio.ImageBuf(str(folder / v)) for k, v in files.items() if "thumbnail" not in k}
    return {kind: image.get_pixels(image.spec().format) for kind, image in opened.items()}


def test_the_files_without_a_setting(tmp_path: Path) -> None:
    found = written(tmp_path)
    assert set(found) == {"exr", "png"}
    np.testing.assert_array_equal(found["exr"], PREDICTION.albedo)
    assert found["png"].dtype == np.uint8
    np.testing.assert_array_equal(found["png"][0, 0], [231, 170, 118])


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({"exr": "acescg", "png": None}, {"exr": ACESCG}),
        ({"exr": None, "png_bits": 16}, {"png": SRGB}),
        ({"exr": None, "png": "linear", "png_bits": 16}, {"png": LINEAR}),
        ({"exr": None, "png": None, "tiff": "srgb"}, {"tiff": SRGB}),
        ({"tiff": "linear"}, {"exr": LINEAR, "tiff": LINEAR}),
        ({"tiff": "acescg"}, {"exr": LINEAR, "tiff": ACESCG}),
    ],
)
def test_the_files_that_are_asked_for(tmp_path: Path, output: dict, expected: dict) -> None:
    found = written(tmp_path, **output)
    assert set(found) - set(expected) <= {"png"}
    for kind, colour in expected.items():
        scale = 65535 if found[kind].dtype == np.uint16 else 1
        assert found[kind].dtype in (np.uint16, np.float16)
        # A half float below 1 is exact to 1 / 4096.
        np.testing.assert_allclose(found[kind][5, 8] / scale, colour, atol=3e-4)


def test_files_that_are_asked_for_no_more_are_removed(tmp_path: Path) -> None:
    written(tmp_path, tiff="srgb")
    assert (tmp_path / "a_albedo.tif").is_file()
    written(tmp_path, png=None)
    assert {path.name for path in tmp_path.glob("a_*")} == {"a_albedo.exr"}
