"""Writing complete image files."""

from pathlib import Path

import pytest

from albedo_pipeline.imaging.io.read import read_colour
from albedo_pipeline.imaging.io.write import write_exr, write_png
from tests.support import broken_images as broken

MANY = 10**8


def test_types_and_attributes_are_written(tmp_path: Path) -> None:
    write_exr(tmp_path / "a.exr", broken.noise(), {"redrawn": "dark"}, half=True)
    write_png(tmp_path / "a.png", broken.codes())
    read = read_colour(tmp_path / "a.exr", MANY)
    assert (read.type, read.attributes["redrawn"]) == ("half", "dark")
    assert read_colour(tmp_path / "a.png", MANY).type == "uint8"


def test_an_exr_does_not_hold_the_time_of_writing(tmp_path: Path) -> None:
    pixels, path = broken.noise(), tmp_path / "a.exr"
    write_exr(path, pixels, {}, half=True)
    assert b"capDate" not in path.read_bytes()
    assert read_colour(path, MANY).pixels.shape == pixels.shape


def test_an_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"missing/a\.exr"):
        write_exr(tmp_path / "missing" / "a.exr", broken.noise(), {}, half=True)
