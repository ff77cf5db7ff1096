"""Writing image files a few rows at a time."""

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from albedo_pipeline.imaging.io.read import read_colour
from albedo_pipeline.imaging.io.scanline_writer import write_rows
from tests.support import broken_images as broken

MANY = 10**8


def test_an_exr_does_not_hold_the_time_of_writing(tmp_path: Path) -> None:
    pixels = broken.noise().astype(np.float16)
    path = tmp_path / "rows.exr"
    write_rows(path, lambda rows: pixels[rows], *pixels.shape[:2], "linear", "half")
    assert b"capDate" not in path.read_bytes()
    np.testing.assert_array_equal(read_colour(path, MANY).pixels, pixels)


def test_an_error_names_the_file(tmp_path: Path) -> None:
    pixels = broken.codes()
    path = tmp_path / "missing" / "a.png"
    with pytest.raises(OSError, match=r"missing/a\.png"):
        write_rows(path, lambda rows: pixels[rows], *pixels.shape[:2], "srgb", "uint8")


def spec_of(path: Path, space: str, pixel_type: str) -> oiio.ImageSpec:
    """The header of a file of black pixels, as OpenImageIO reads it."""
    kind = np.float16 if pixel_type == "half" else np.dtype(pixel_type)
    write_rows(path, lambda rows: np.zeros((8, 8, 3), kind)[rows], 8, 8, space, pixel_type)
    source = oiio.ImageInput.open(str(path))
    assert str(source.spec().format) == pixel_type
    return source.spec()


@pytest.mark.parametrize(
    ("space", "name", "chromaticities"),
    [
        # ITU-R BT.709, and AP1 by S-2014-004
        ("linear", "lin_rec709_scene", (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)),
        (
            "acescg",
            "lin_ap1_scene",
            (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767),
        ),
    ],
)
def test_an_exr_names_its_colour_space(
    tmp_path: Path, space: str, name: str, chromaticities: tuple[float, ...]
) -> None:
    spec = spec_of(tmp_path / "a.exr", space, "half")
    np.testing.assert_allclose(spec.getattribute("chromaticities"), chromaticities, atol=1e-7)
    assert spec.getattribute("colorInteropID") == name


def test_pngs_and_tiffs_name_their_colour_space(tmp_path: Path) -> None:
    for pixel_type in ("uint8", "uint16"):
        spec = spec_of(tmp_path / "a.png", "srgb", pixel_type)
        assert spec.getattribute("oiio:ColorSpace") == "srgb_rec709_scene"
    assert b"sRGB" in (tmp_path / "a.png").read_bytes()
    spec = spec_of(tmp_path / "a.png", "linear", "uint16")
    assert spec.getattribute("oiio:ColorSpace") == "lin_rec709_scene"
    assert b"gAMA\0\1\x86\xa0" in (tmp_path / "a.png").read_bytes()  # 100,000: a gamma of 1
    texts = {"srgb": "sRGB", "linear": "linear Rec.709", "acescg": "ACEScg (linear AP1)"}
    for space, text in texts.items():
        spec = spec_of(tmp_path / "a.tif", space, "uint16")
        assert spec.getattribute("ImageDescription") == text
        assert spec.getattribute("Exif:ColorSpace") == (1 if space == "srgb" else None)
        assert not spec.getattribute("DateTime")
