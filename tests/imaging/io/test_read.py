"""Reading image files: types, transparency and refusals, each on a real file."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from albedo_pipeline.imaging.declarations import ReadOptions
from albedo_pipeline.imaging.io.read import read_colour
from albedo_pipeline.imaging.io.size import read_size
from tests.support import broken_images as broken

MANY = 10**8


@pytest.mark.parametrize("suffix", ["exr", "tif", "hdr", "png", "jpg", "tga", "webp", "bmp"])
def test_every_format_is_read_as_float(tmp_path: Path, suffix: str) -> None:
    flat = np.full((8, 6, 3), (0.2, 0.4, 0.8), np.float32)
    pixels = flat if suffix in ("exr", "hdr") else (flat * 255).round().astype(np.uint8)
    read = read_colour(broken.image(tmp_path / f"a.{suffix}", pixels), MANY)
    assert (read.pixels.dtype, read.present) == (np.float32, None)
    np.testing.assert_allclose(read.pixels, flat, atol=0.02 if suffix in ("jpg", "webp") else 4e-3)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_stay_16_bits(tmp_path: Path, suffix: str) -> None:
    pixels = np.arange(8 * 8 * 3, dtype=np.uint16).reshape(8, 8, 3)
    read = read_colour(broken.image(tmp_path / f"a.{suffix}", pixels), MANY)
    assert read.type == "uint16"
    np.testing.assert_array_equal((read.pixels * 65535).round(), pixels)


def test_transparent_pixels_are_not_present(tmp_path: Path) -> None:
    pixels = np.ones((4, 4, 4), np.float32)
    pixels[0, 0, 3], pixels[1, 1, 3], pixels[2, 2, 3] = 0, 0.99, 0.9995
    read = read_colour(broken.image(tmp_path / "a.exr", pixels, ("R", "G", "B", "A")), MANY)
    assert np.argwhere(~read.present).tolist() == [[0, 0], [1, 1]]
    assert read.pixels.shape == (4, 4, 3)


@pytest.mark.parametrize("suffix", ["png", "webp", "tga", "jp2", "tif"])
def test_straight_alpha_is_not_multiplied_into_the_colours(tmp_path: Path, suffix: str) -> None:
    from PIL import Image

    pixels = np.full((4, 4, 4), (200, 100, 50, 128), np.uint8)
    pixels[0, 0, 3] = 0
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    Image.fromarray(pixels, "RGBA").save(tmp_path / f"a.{suffix}", **options)
    read = read_colour(tmp_path / f"a.{suffix}", MANY)
    np.testing.assert_array_equal((read.pixels * 255).round(), pixels[..., :3])
    assert not read.present.any()


@pytest.mark.parametrize("suffix", ["exr", "tif"])
def test_associated_alpha_stays_as_it_is_stored(tmp_path: Path, suffix: str) -> None:
    pixels = np.full((4, 4, 4), (0.5, 0.25, 0.125, 0.5), np.float32)
    read = read_colour(broken.image(tmp_path / f"a.{suffix}", pixels, tuple("RGBA")), MANY)
    np.testing.assert_array_equal(read.pixels, pixels[..., :3])


def test_a_float_tiff_with_straight_alpha_is_not_multiplied(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 4), (0.5, 4, 0.125, 0.5), np.float32)
    straight = {"oiio:UnassociatedAlpha": 1}
    path = broken.image(tmp_path / "a.tif", pixels, tuple("RGBA"), attributes=straight)
    np.testing.assert_array_equal(read_colour(path, MANY).pixels, pixels[..., :3])


def test_straight_and_associated_8_bit_tiffs_are_read_as_stored(tmp_path: Path) -> None:
    codes = np.full((4, 4, 4), (200, 100, 50, 128), np.uint8)
    codes[0, 0] = 200, 100, 50, 255
    for straight in (0, 1):
        attributes = {"oiio:UnassociatedAlpha": straight}
        path = broken.image(tmp_path / "a.tif", codes, tuple("RGBA"), attributes=attributes)
        read = read_colour(path, MANY)
        np.testing.assert_array_equal((read.pixels * 255).round(), codes[..., :3])
        assert np.argwhere(read.present).tolist() == [[0, 0]]


@pytest.mark.parametrize("suffix", ["exr", "png", "tif"])
def test_alpha_that_is_no_coverage_can_be_ignored(tmp_path: Path, suffix: str) -> None:
    pixels = np.full((4, 4, 4), (0.8, 0.4, 0.2, 0), np.float32)
    stored = pixels if suffix == "exr" else (pixels * 255).round().astype(np.uint8)
    path = broken.image(
        tmp_path / f"a.{suffix}", stored, tuple("RGBA"), attributes={"oiio:UnassociatedAlpha": 1}
    )
    with pytest.raises(
        ValueError, match=r"alpha is 0 everywhere.* option alpha, or predict\.alpha, to ignore$"
    ):
        read_colour(path, MANY)
    read = read_colour(path, MANY, options=ReadOptions(alpha="ignore"))
    np.testing.assert_allclose(read.pixels, pixels[..., :3], atol=1e-6)
    assert read.present is None


def test_ignored_alpha_leaves_the_gaps_of_a_data_window(tmp_path: Path) -> None:
    pixels = np.zeros((2, 2, 4), np.float32)
    path = broken.image(tmp_path / "a.exr", pixels, tuple("RGBA"), (1, 1), (0, 0, 3, 3))
    read = read_colour(path, MANY, options=ReadOptions(alpha="ignore"))
    assert read.present.astype(int).tolist() == [[0, 0, 0], [0, 1, 1], [0, 1, 1]]


def test_grey_becomes_red_green_and_blue_if_it_is_declared(tmp_path: Path) -> None:
    grey = np.arange(16, dtype=np.uint8).reshape(4, 4, 1) * 10
    opaque = np.full_like(grey, 255)
    opaque[0, 0] = 0
    np.save(tmp_path / "n.npy", grey[..., 0])
    for path in (
        broken.image(tmp_path / "g.png", grey, ("Y",)),
        broken.image(tmp_path / "a.png", np.concatenate([grey, opaque], -1), ("Y", "A")),
        broken.image(tmp_path / "w.tif", grey.astype(np.uint16) * 257, ("Y",)),
        broken.image(tmp_path / "f.exr", grey.astype(np.float32) / 255, ("Y",)),
        tmp_path / "n.npy",
    ):
        read = read_colour(path, MANY, options=ReadOptions(grey=True))
        np.testing.assert_allclose(read.pixels, grey.repeat(3, -1) / 255, atol=1e-6)
        assert (read.present is not None) == (path.name == "a.png")
        with pytest.raises(ValueError, match=r"expected red, green and blue; .* grey_beauty"):
            read_colour(path, MANY)


def test_a_name_that_is_not_utf_8_is_refused_with_its_reason(tmp_path: Path) -> None:
    sound = broken.image(tmp_path / "a.png", broken.codes())
    path = sound.rename(os.fsdecode(os.fsencode(tmp_path) + b"/n\xff.png"))
    with pytest.raises(ValueError, match=r"\.png: its name is not UTF-8; rename the file"):
        read_colour(path, MANY)
    assert read_size(path) is None


def test_names_are_read_and_written_in_a_locale_without_unicode(tmp_path: Path) -> None:
    """Python decodes file names as ASCII in the C locale if its UTF-8 mode is off."""
    code = (
        "import sys; from pathlib import Path\n"
        "from albedo_pipeline.imaging.io.read import read_colour\n"
        "from albedo_pipeline.imaging.io.write import write_exr\n"
        "assert sys.getfilesystemencoding() == 'ascii'\n"
        "(path,) = Path(sys.argv[1]).iterdir()\n"
        "write_exr(path.with_suffix('.exr'), read_colour(path, 10**6).pixels, {}, half=False)\n"
    )
    broken.image(tmp_path / "ünï 日本.png", broken.codes())
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, "-c", code, tmp_path], env=os.environ | plain, check=True)
    assert read_colour(tmp_path / "ünï 日本.exr", MANY).pixels.shape == (64, 48, 3)


def test_nan_infinity_and_negative_values_are_kept(tmp_path: Path) -> None:
    pixels = broken.noise()
    pixels[0, 0] = (np.nan, np.inf, -1)
    read = read_colour(broken.image(tmp_path / "a.exr", pixels), MANY)
    np.testing.assert_array_equal(read.pixels, pixels)


REFUSED: list[tuple[Callable[[Path], Path], str, str]] = [
    (lambda path: path, "a.exr", r"a\.exr: no such file$"),
    (lambda path: path.parent, "a", r": a folder, expected a file$"),
    (broken.empty, "a.exr", r"a\.exr: empty file$"),
    (broken.empty, "a.png", r"a\.png: empty file$"),
    (broken.text, "a.exr", r"a\.exr: EXR Error, .*: not an image, or a damaged one$"),
    (broken.text, "a.jpg", r"a\.jpg: .*: not an image, or a damaged one$"),
    (broken.text, "a.xyz", r"a\.xyz: .*: not an image, or a damaged one$"),
    *[
        (broken.cut, f"a.{s}", r": damaged or cut off$")
        for s in ("exr", "png", "tif", "hdr", "jpg")
    ],
    (broken.jpeg_without_end, "a.jpg", r"Premature end of JPEG file: damaged or cut off$"),
    (broken.png_with_wrong_crc, "a.png", r"CRC error: damaged or cut off$"),
    (broken.grey, "a.png", r"a\.png: 1 channel\(s\) \(Y\), expected red, .*; .* grey_beauty takes"),
    (broken.grey_alpha, "a.png", r"2 channel\(s\) \(Y, A\), expected red"),
    (broken.grey_16_bit, "a.tif", r"1 channel\(s\) \(Y\), expected red"),
    (broken.cmyk_jpeg, "a.jpg", r"a\.jpg: CMYK colours, expected .* no CMYK profile to convert"),
    (broken.cmyk_tiff, "a.tif", r"a\.tif: CMYK colours"),
    (broken.odd_channels, "a.exr", r"10 channel\(s\) \(c0, .*, c7, …\), expected red"),
    (broken.huge_png, "a.png", r"claims a .* MB image from .*: not an image, or a damaged one$"),
    (broken.huge_exr, "a.exr", r"claims a .* MB image from .*: not an image, or a damaged one$"),
    (broken.huge_hdr, "a.hdr", r"60000.*|exceeds"),
    (broken.huge_display, "a.exr", r"60000 x 60000 pixels: more than 100 megapixels$"),
]


@pytest.mark.parametrize(("make", "name", "message"), REFUSED)
def test_refusals_name_the_file_once(
    tmp_path: Path, make: Callable, name: str, message: str
) -> None:
    path = make(tmp_path / name)
    with pytest.raises(ValueError, match=message) as raised:
        read_colour(path, MANY)
    assert str(raised.value).startswith(f"{path}: ")
    assert str(raised.value).count(path.name) == 1
    assert "\n" not in str(raised.value)


def test_text_that_is_not_utf_8_is_accepted(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(broken.codes()).save(tmp_path / "a.jpg", comment="Köln".encode("latin-1"))
    assert read_colour(tmp_path / "a.jpg", MANY).pixels.shape == (64, 48, 3)


def test_reading_does_not_change_the_number_of_threads(tmp_path: Path) -> None:
    before = oiio.get_int_attribute("threads")
    read_colour(broken.image(tmp_path / "a.exr", broken.noise()), MANY)
    assert oiio.get_int_attribute("threads") == before
