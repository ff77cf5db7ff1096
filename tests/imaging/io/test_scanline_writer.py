"""Writing image files a few rows at a time."""

from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.imaging.io.read import read_colour
from albedo_pipeline.imaging.io.scanline_writer import write_rows
from tests.support import broken_images as broken

MANY = 10**8


def test_an_exr_does_not_hold_the_time_of_writing(tmp_path: Path) -> None:
    pixels = broken.noise().astype(np.float16)
    path = tmp_path / "rows.exr"
    write_rows(path, lambda rows: pixels[rows], *pixels.shape[:2])
    assert b"capDate" not in path.read_bytes()
    np.testing.assert_array_equal(read_colour(path, MANY).pixels, pixels)


def test_an_error_names_the_file(tmp_path: Path) -> None:
    pixels = broken.codes()
    with pytest.raises(OSError, match=r"missing/a\.png"):
        write_rows(tmp_path / "missing" / "a.png", lambda rows: pixels[rows], *pixels.shape[:2])
