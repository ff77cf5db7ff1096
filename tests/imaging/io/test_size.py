"""The size of an image, read from its header."""

from pathlib import Path

import numpy as np

from albedo_pipeline.imaging.io.size import read_size
from tests.support.broken_images import image, text


def test_sizes_are_height_and_width(tmp_path: Path) -> None:
    for name in ("a.png", "a.exr", "a.tif"):
        pixels = np.zeros((5, 7, 3), np.float16 if name.endswith("exr") else np.uint8)
        assert read_size(image(tmp_path / name, pixels)) == (5, 7)
    np.save(tmp_path / "a.npy", np.zeros((5, 7, 3)))
    assert read_size(tmp_path / "a.npy") == (5, 7)


def test_files_that_cannot_be_read_have_no_size(tmp_path: Path) -> None:
    text(tmp_path / "text.png")
    text(tmp_path / "text.npy")
    for name in ("text.png", "text.npy", "missing.png"):
        assert read_size(tmp_path / name) is None
