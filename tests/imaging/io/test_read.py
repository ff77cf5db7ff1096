"""Reading image files: what is chosen, what is masked, what is refused, each on a real file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from albedo_pipeline.imaging.io.read import read_colour, read_mask
from albedo_pipeline.imaging.io.scanline_writer import write_rows
from albedo_pipeline.imaging.io.write import write_exr, write_png
from tests.support import broken_images as broken

MANY = 10**8


@pytest.mark.parametrize("suffix", ["exr", "tif", "hdr", "png", "jpg", "tga", "webp", "bmp"])
def test_every_format_comes_as_float(tmp_path: Path, suffix: str) -> None:
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


def test_types_and_attributes(tmp_path: Path) -> None:
    write_exr(tmp_path / "a.exr", broken.noise(), {"redrawn": "dark"}, half=True)
    write_png(tmp_path / "a.png", broken.codes())
    read = read_colour(tmp_path / "a.exr", MANY)
    assert (read.type, read.attributes["redrawn"]) == ("half", "dark")
    assert read_colour(tmp_path / "a.png", MANY).type == "uint8"


def test_no_exr_holds_the_time_of_its_writing(tmp_path: Path) -> None:
    pixels = broken.noise()
    write_exr(tmp_path / "whole.exr", pixels, {}, half=True)
    write_rows(tmp_path / "rows.exr", lambda rows: pixels[rows], *pixels.shape[:2])
    for path in tmp_path.iterdir():
        assert b"capDate" not in path.read_bytes()
        assert read_colour(path, MANY).pixels.shape == pixels.shape


def test_channels_are_chosen_by_name(tmp_path: Path) -> None:
    pixels = broken.noise(channels=5)
    pixels[..., 3] = 1
    path = broken.image(tmp_path / "a.exr", pixels, ("b", "Z", "g", "A", "r"))
    read = read_colour(path, MANY)
    np.testing.assert_array_equal(read.pixels, pixels[..., [4, 2, 0]])
    assert read.present is None


def test_transparent_pixels_are_not_present(tmp_path: Path) -> None:
    pixels = np.ones((4, 4, 4), np.float32)
    pixels[0, 0, 3], pixels[1, 1, 3], pixels[2, 2, 3] = 0, 0.99, 0.9995
    read = read_colour(broken.image(tmp_path / "a.exr", pixels, ("R", "G", "B", "A")), MANY)
    assert np.argwhere(~read.present).tolist() == [[0, 0], [1, 1]]
    assert read.pixels.shape == (4, 4, 3)


def test_nan_infinity_and_negatives_pass(tmp_path: Path) -> None:
    pixels = broken.noise()
    pixels[0, 0] = (np.nan, np.inf, -1)
    read = read_colour(broken.image(tmp_path / "a.exr", pixels), MANY)
    np.testing.assert_array_equal(read.pixels, pixels)


def test_overscan_is_cut_off(tmp_path: Path) -> None:
    pixels = broken.noise(8, 6)
    path = broken.image(tmp_path / "a.exr", pixels, origin=(-2, -1), display=(0, 0, 3, 4))
    read = read_colour(path, MANY)
    np.testing.assert_array_equal(read.pixels, pixels[1:5, 2:5])
    assert read.present is None


@pytest.mark.parametrize("alpha", [False, True])
def test_a_cropped_render_is_put_in_its_place(tmp_path: Path, alpha: bool) -> None:
    pixels = broken.noise(4, 3, 4 if alpha else 3)
    pixels[..., 3:] = 1
    window = {"origin": (12, 21), "display": (10, 20, 8, 10)}
    channels = ("R", "G", "B", "A")[: pixels.shape[2]]
    read = read_colour(broken.image(tmp_path / "a.exr", pixels, channels, **window), MANY)
    assert read.pixels.shape == (10, 8, 3)
    np.testing.assert_array_equal(read.pixels[1:5, 2:5], pixels[..., :3])
    expected = np.zeros((10, 8), bool)
    expected[1:5, 2:5] = True
    np.testing.assert_array_equal(read.present, expected)


def test_windows_that_do_not_meet_are_refused(tmp_path: Path) -> None:
    path = broken.image(tmp_path / "a.exr", broken.noise(), origin=(900, 0), display=(0, 0, 9, 9))
    with pytest.raises(ValueError, match=r"a\.exr: the data window lies outside the display"):
        read_colour(path, MANY)


def test_a_position_in_another_format_hides_nothing(tmp_path: Path) -> None:
    path = broken.image(tmp_path / "a.tif", broken.codes(), origin=(5, 5))
    assert read_colour(path, MANY).present is None


def test_tiles_and_parts(tmp_path: Path) -> None:
    pixels = broken.noise(40, 33, 4)
    tiled = broken.image(tmp_path / "t.exr", pixels[..., :3], tile=16)
    parts = {"depth": (pixels[..., 3:], ("Z",)), "rgb": (pixels[..., :3], ("R", "G", "B"))}
    for path in (tiled, broken.multi_part(tmp_path / "m.exr", parts)):
        np.testing.assert_array_equal(read_colour(path, MANY).pixels, pixels[..., :3])


def test_two_parts_with_colour_are_refused_unless_one_is_named(tmp_path: Path) -> None:
    pixels = broken.noise(channels=6)
    parts = {"beauty": (pixels[..., :3], tuple("RGB")), "albedo": (pixels[..., 3:], tuple("RGB"))}
    path = broken.multi_part(tmp_path / "m.exr", parts)
    with pytest.raises(
        ValueError, match=r"beauty, albedo: 2 parts hold red, green and blue, expected one$"
    ):
        read_colour(path, MANY)
    np.testing.assert_array_equal(read_colour(path, MANY, "albedo").pixels, pixels[..., 3:])


NOT_RED = r"\(.*\), expected red, green and blue$"
REFUSED: list[tuple[Callable[[Path], Path], str, str]] = [
    (lambda path: path, "a.exr", r"a\.exr: no such file$"),
    (lambda path: path.parent, "a", r": no such file$"),
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
    (broken.grey, "a.png", r"a\.png: 1 channel\(s\) \(Y\), expected red, green and blue$"),
    (broken.grey_alpha, "a.png", r"2 channel\(s\) \(Y, A\), expected red"),
    (broken.grey_16_bit, "a.tif", r"1 channel\(s\) \(Y\), expected red"),
    (broken.cmyk_jpeg, "a.jpg", r"a\.jpg: CMYK colours, expected red, green and blue$"),
    (broken.cmyk_tiff, "a.tif", r"a\.tif: CMYK colours"),
    (broken.odd_channels, "a.exr", r"10 channel\(s\) \(c0, .*, c7, …\), expected red"),
    (broken.huge_png, "a.png", r"claims a .* MB image from .*: not an image, or a damaged one$"),
    (broken.huge_exr, "a.exr", r"claims a .* MB image from .*: not an image, or a damaged one$"),
    (broken.huge_hdr, "a.hdr", r"60000.*|exceeds"),
    (broken.huge_display, "a.exr", r"60000 x 60000 pixels: more than 100 megapixels$"),
]


@pytest.mark.parametrize(("make", "name", "message"), REFUSED)
def test_refusals_name_the_file(tmp_path: Path, make: Callable, name: str, message: str) -> None:
    path = make(tmp_path / name)
    with pytest.raises(ValueError, match=message) as raised:
        read_colour(path, MANY)
    assert str(raised.value).startswith(f"{path}: ")
    assert str(raised.value).count(path.name) == 1
    assert "\n" not in str(raised.value)


def test_too_many_pixels_are_refused_by_the_header(tmp_path: Path) -> None:
    path = broken.image(tmp_path / "a.png", broken.codes())
    with pytest.raises(ValueError, match=r"48 x 64 pixels: more than 0\.003 megapixels$"):
        read_colour(path, 3000)
    with pytest.raises(ValueError, match=r"48 x 64 pixels: more than 0\.003 megapixels$"):
        read_mask(path, 3000)


def test_text_that_is_not_utf_8_is_no_trouble(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(broken.codes()).save(tmp_path / "a.jpg", comment="Köln".encode("latin-1"))
    assert read_colour(tmp_path / "a.jpg", MANY).pixels.shape == (64, 48, 3)


@pytest.mark.parametrize(("channels", "expected"), [("Y", 1), ("YA", 1), ("RGB", 3), ("RGBA", 3)])
def test_masks_of_one_to_four_channels(tmp_path: Path, channels: str, expected: int) -> None:
    pixels = np.full((4, 4, len(channels)), 255, np.uint8)
    pixels[..., expected:] = 0  # a white mask is white, whatever its alpha
    mask = read_mask(broken.image(tmp_path / "m.png", pixels, tuple(channels)), MANY)
    assert (mask.shape, mask.dtype, mask.min()) == ((4, 4, expected), np.float32, 1)


def test_a_mask_of_many_channels_is_refused_but_one_can_be_named(tmp_path: Path) -> None:
    path = broken.odd_channels(tmp_path / "m.exr")
    with pytest.raises(ValueError, match=r"expected a mask with one to four$"):
        read_mask(path, MANY)
    np.testing.assert_array_equal(read_mask(path, MANY, "c4"), broken.noise(channels=10)[..., 4:5])
    with pytest.raises(ValueError, match=r"expected one c11$"):
        read_mask(path, MANY, "c11")


def test_writing_fails_with_the_name(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"missing/a\.exr"):
        write_exr(tmp_path / "missing" / "a.exr", broken.noise(), {}, half=True)


def test_reading_sets_no_threads(tmp_path: Path) -> None:
    before = oiio.get_int_attribute("threads")
    read_colour(broken.image(tmp_path / "a.exr", broken.noise()), MANY)
    assert oiio.get_int_attribute("threads") == before


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_comes_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    upright = np.zeros((24, 16, 3), np.uint8)
    upright[:8, :8], upright[16:, 8:] = (255, 0, 0), (0, 0, 255)
    # How each kind lies in its file: where the first row and the first column of the file show.
    lies = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }
    path = tmp_path / f"a.{suffix}"
    stored = np.ascontiguousarray(lies[orientation])
    output = oiio.ImageOutput.create(str(path))
    spec = oiio.ImageSpec(stored.shape[1], stored.shape[0], 3, "uint8")
    spec.attribute("Orientation", orientation)
    assert output.open(str(path), spec)
    assert output.write_image(stored)
    output.close()
    read = read_colour(path, MANY).pixels
    assert read.flags.c_contiguous
    np.testing.assert_allclose(read, upright / 255, atol=0.4 if suffix == "jpg" else 1e-6)
    assert abs(read - upright / 255).mean() < 0.03
