"""Colour tags of real files; the expected colours come from another tool, to 1/255."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb
from albedo_pipeline.imaging.declarations import ReadOptions
from albedo_pipeline.imaging.io.read import ColourImage, read_colour
from tests.support import broken_images as broken
from tests.support import colour_files as files

MANY = 10**8
CODES = np.array([[(200, 100, 50), (60, 90, 120), (128, 128, 128), (250, 240, 20)]], np.uint8)
CODES = np.repeat(np.repeat(CODES, 8, 0), 8, 1)
"""Colours of Display P3 and Adobe RGB; the last one of each lies outside Rec.709."""


def by_littlecms(codes: np.ndarray, profile: bytes) -> np.ndarray:
    """sRGB in [0, 1], as LittleCMS converts it."""
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    picture = ImageCms.profileToProfile(
        Image.fromarray(codes), source, target, renderingIntent=1, outputMode="RGB"
    )
    return np.asarray(picture) / 255


def by_primaries(linear: np.ndarray, primaries: str) -> np.ndarray:
    """Linear Rec.709, with the matrices of SMPTE RP 177 made of the chromaticities."""
    matrices = []
    for name in ("Rec.709", primaries):
        x, y = np.reshape(files.D65_PRIMARIES[name], (4, 2)).T
        red_green_blue_white = np.stack([x / y, np.ones(4), (1 - x - y) / y])
        columns, white = red_green_blue_white[:, :3], red_green_blue_white[:, 3]
        matrices.append(columns * np.linalg.solve(columns, white))
    return linear @ np.linalg.solve(*matrices).T


def check(read: ColourImage, expected: np.ndarray, space: str, source: str) -> None:
    assert (read.space, read.notes.source) == (space, source)
    np.testing.assert_allclose(
        np.clip(read.pixels, 0, 1), np.clip(expected, 0, 1), rtol=0, atol=1 / 255
    )


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("profile", [files.DISPLAY_P3, files.ADOBE_RGB], ids=["P3", "Adobe RGB"])
def test_colours_are_converted_by_their_profile(
    tmp_path: Path, suffix: str, profile: bytes
) -> None:
    path = tmp_path / f"a.{suffix}"
    options = {"jpg": {"quality": 100, "subsampling": 0}, "webp": {"lossless": True}}
    Image.fromarray(CODES).save(path, icc_profile=profile, **options.get(suffix, {}))
    read = read_colour(path, MANY)
    stored = np.asarray(Image.open(path))
    name = "Display P3" if profile == files.DISPLAY_P3 else "Adobe RGB (1998)"
    check(read, by_littlecms(stored, profile), "srgb", f"ICC profile ({name}), converted")
    assert read.notes.out_of_gamut == 64  # the last eight columns
    declared = read_colour(path, MANY, options=ReadOptions("srgb"))
    np.testing.assert_array_equal((declared.pixels * 255).round(), stored)
    assert declared.notes.doubt == f"declared srgb, but the file says ICC profile ({name})"


def test_16_bits_keep_their_precision(tmp_path: Path) -> None:
    import OpenImageIO as oiio

    codes = CODES.astype(np.uint16) * 257 + np.arange(32, dtype=np.uint16)[None, :, None] % 8
    spec = oiio.ImageSpec(32, 8, 3, "uint16")
    profile = np.frombuffer(files.DISPLAY_P3, np.uint8)
    spec.attribute("ICCProfile", oiio.TypeDesc(f"uint8[{len(profile)}]"), profile)
    target = oiio.ImageOutput.create(str(tmp_path / "a.tif"))
    assert target.open(str(tmp_path / "a.tif"), spec)
    assert target.write_image(codes)
    assert target.close()
    read = read_colour(tmp_path / "a.tif", MANY)
    expected = by_primaries(decode_srgb(codes / 65535), "P3")
    inside = (expected >= 0).all(-1) & (expected <= 1).all(-1)
    error = np.abs(read.pixels - encode_srgb(expected))[inside]
    assert (read.type, inside.sum()) == ("uint16", 24 * 8)
    assert error.max() < 8 / 65535  # the profile's own numbers have 16 bits


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_srgb_files_are_not_changed_by_their_profile(tmp_path: Path, suffix: str) -> None:
    stored = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (files.SRGB, stored):
        Image.fromarray(CODES).save(tmp_path / f"a.{suffix}", icc_profile=profile)
        tagged = read_colour(tmp_path / f"a.{suffix}", MANY)
        Image.fromarray(CODES).save(tmp_path / f"b.{suffix}")
        untagged = read_colour(tmp_path / f"b.{suffix}", MANY)
        np.testing.assert_array_equal(tagged.pixels, untagged.pixels)
        assert (tagged.space, untagged.space) == ("srgb", "srgb")
        assert tagged.notes.source.startswith("ICC profile (sRGB")
        assert untagged.notes.source == "pixel type"
        assert not read_colour(
            tmp_path / f"a.{suffix}", MANY, options=ReadOptions("srgb")
        ).notes.doubt


def test_a_linear_profile_gives_linear_pixels(tmp_path: Path) -> None:
    Image.fromarray(CODES).save(tmp_path / "a.png", icc_profile=files.LINEAR_REC709)
    check(
        read_colour(tmp_path / "a.png", MANY),
        CODES / 255,
        "linear",
        "ICC profile (linear Rec.709)",
    )


def test_profiles_with_tables_and_of_grey_are_converted_in_8_bits(tmp_path: Path) -> None:
    profile = files.rgb_table_profile()
    Image.fromarray(CODES).save(tmp_path / "a.png", icc_profile=profile)
    read = read_colour(tmp_path / "a.png", MANY)
    source = "ICC profile (a table), converted in 8 bits"
    check(read, by_littlecms(CODES, profile), "srgb", source)
    grey = CODES[..., 0]
    Image.fromarray(grey).save(tmp_path / "g.png", icc_profile=files.GREY_GAMMA_18)
    read = read_colour(tmp_path / "g.png", MANY, options=ReadOptions(grey=True))
    expected = encode_srgb((grey[..., None] / 255) ** 1.8).repeat(3, -1)
    check(read, expected, "srgb", "ICC profile (Gray Gamma 1.8), converted in 8 bits")


def test_a_profile_of_other_colours_is_refused_unless_a_space_is_declared(tmp_path: Path) -> None:
    Image.fromarray(CODES).save(tmp_path / "a.jpg", icc_profile=files.GREY_GAMMA_18)
    with pytest.raises(ValueError, match=r"a\.jpg: ICC profile .* of GRAY colours.* colour_space"):
        read_colour(tmp_path / "a.jpg", MANY)
    assert read_colour(tmp_path / "a.jpg", MANY, options=ReadOptions("srgb")).space == "srgb"


def test_a_damaged_profile_is_refused_unless_a_space_is_declared(tmp_path: Path) -> None:
    Image.fromarray(CODES).save(tmp_path / "a.jpg", icc_profile=files.DISPLAY_P3[:140])
    with pytest.raises(
        ValueError, match=r"a\.jpg: ICC profile .* cannot be converted.*colour_space"
    ):
        read_colour(tmp_path / "a.jpg", MANY)
    declared = read_colour(tmp_path / "a.jpg", MANY, options=ReadOptions("srgb"))
    assert (declared.space, declared.notes.doubt) == ("srgb", "")


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_converted_by_its_profile_or_refused(tmp_path: Path, suffix: str) -> None:
    path, inks = tmp_path / f"a.{suffix}", np.full((8, 8, 4), (200, 40, 10, 30), np.uint8)
    profile = files.cmyk_profile()
    picture = Image.frombytes("CMYK", (8, 8), inks.tobytes())
    options = {"quality": 100} if suffix == "jpg" else {}
    picture.save(path, icc_profile=profile, **options)
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    expected = ImageCms.profileToProfile(
        picture, source, ImageCms.createProfile("sRGB"), renderingIntent=1, outputMode="RGB"
    )
    read = read_colour(path, MANY)
    assert 0.1 < np.ptp(np.asarray(expected)[0, 0] / 255) < 1  # a colour, not black or grey
    check(
        read,
        np.asarray(expected) / 255,
        "srgb",
        "CMYK by its ICC profile, converted in 8 bits",
    )
    with pytest.raises(ValueError, match=r"CMYK colours.* colour_space auto"):
        read_colour(path, MANY, options=ReadOptions("srgb"))
    picture.save(path)
    with pytest.raises(ValueError, match="there is no CMYK profile"):
        read_colour(path, MANY)


def test_cmyk_in_a_psd_and_lab_are_refused(tmp_path: Path) -> None:
    head = b"8BPS\0\1" + bytes(6) + b"\0\4" + (4).to_bytes(4, "big") * 2 + b"\0\x08\0\4"
    (tmp_path / "a.psd").write_bytes(head + bytes(12) + b"\0\0" + bytes([77] * 64))
    with pytest.raises(ValueError, match=r"a\.psd: CMYK colours in a psd file"):
        read_colour(tmp_path / "a.psd", MANY)
    Image.new("LAB", (8, 8), (200, 20, 30)).save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match=r"a\.tif: Lab colours"):
        read_colour(tmp_path / "a.tif", MANY)


@pytest.mark.parametrize(
    ("chunks", "primaries", "exponent", "space", "source"),
    [
        (files.gama(1), "Rec.709", 1, "linear", "PNG gAMA 1 and cHRM (Linear Rec.709 (sRGB))"),
        (
            files.gama(1 / 1.8),
            "Rec.709",
            1.8,
            "srgb",
            "PNG gAMA 0.55556 and cHRM (Linear Rec.709 (sRGB)), converted",
        ),
        (
            files.gama(1 / 2.2) | files.chrm("P3"),
            "P3",
            2.2,
            "srgb",
            "PNG gAMA 0.45455 and cHRM (Linear P3-D65), converted",
        ),
        (
            files.gama(1 / 2.2) | files.chrm("Adobe RGB"),
            "Adobe RGB",
            2.2,
            "srgb",
            "PNG gAMA 0.45455 and cHRM (Linear AdobeRGB), converted",
        ),
        ({b"cICP": bytes((12, 8, 0, 1))}, "P3", 1, "linear", "cICP 12-8-0-1, converted"),
        ({b"cICP": bytes((12, 13, 0, 1))}, "P3", 0, "srgb", "cICP 12-13-0-1, converted"),
    ],
)
def test_png_chunks(
    tmp_path: Path, chunks: dict, primaries: str, exponent: float, space: str, source: str
) -> None:
    values = CODES / 255
    light = by_primaries(values**exponent if exponent else decode_srgb(values), primaries)
    light = np.maximum(light, 0)
    read = read_colour(files.png(tmp_path / "a.png", CODES, chunks), MANY)
    check(read, light if space == "linear" else encode_srgb(light), space, source)


@pytest.mark.parametrize(
    ("chunks", "source"),
    [
        ({b"sRGB": b"\0"} | files.gama(1 / 2.2), "PNG chunk sRGB"),
        (files.gama(0.45455), "PNG gAMA 0.45455 for sRGB"),
        (files.gama(0.45455) | files.chrm("Rec.709"), "PNG gAMA 0.45455 for sRGB"),
        (files.chrm("P3"), "pixel type"),  # no gamma, so the tag is not complete
        ({}, "pixel type"),
    ],
)
def test_png_files_in_srgb_stay_as_they_are(tmp_path: Path, chunks: dict, source: str) -> None:
    read = read_colour(files.png(tmp_path / "a.png", CODES, chunks), MANY)
    np.testing.assert_array_equal((read.pixels * 255).round(), CODES)
    assert (read.space, read.notes.source) == ("srgb", source)


def test_hdr_codes_give_light_in_units_of_100_candela(tmp_path: Path) -> None:
    signal = 128 / 255
    power = signal ** (1 / 78.84375)  # SMPTE ST 2084
    pq = 100 * ((power - 0.8359375) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
    scene = (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12  # ITU-R BT.2100, HLG
    for transfer, light in ((16, pq), (18, 10 * scene**1.2)):
        code = {b"cICP": bytes((9, transfer, 0, 1))}
        read = read_colour(files.png(tmp_path / "a.png", np.full_like(CODES, 128), code), MANY)
        assert read.space == "linear"
        np.testing.assert_allclose(read.pixels, light, rtol=2e-3)


def test_png_codes_come_before_profiles_and_video_range_is_refused(tmp_path: Path) -> None:
    import zlib

    profile = {b"iCCP": b"x\0\0" + zlib.compress(files.ADOBE_RGB)}
    both = files.png(tmp_path / "a.png", CODES, {b"cICP": bytes((1, 13, 0, 1))} | profile)
    assert read_colour(both, MANY).notes.source == "cICP 1-13-0-1"
    video = files.png(tmp_path / "b.png", CODES, {b"cICP": bytes((1, 13, 0, 0))})
    with pytest.raises(ValueError, match=r"cICP 1-13-0-0 cannot be converted \(values in video"):
        read_colour(video, MANY)


AP1 = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)
AP0 = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
AP0_TO_REC709 = np.array(
    [
        [2.52168618674388, -1.13413098823972, -0.38755519850416],
        [-0.27647991422992, 1.37271908766826, -0.09623917343834],
        [-0.01537806496603, -0.15297533586640, 1.16835340083243],
    ]
)
"""ACES2065-1 => linear Rec.709, Bradford, as the ACES project publishes it."""


def exr(path: Path, pixels: np.ndarray, **attributes: object) -> Path:
    import OpenImageIO as oiio

    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], 3, "float")
    for name, value in attributes.items():
        kind = (oiio.TypeDesc("float[8]"),) if isinstance(value, tuple) else ()
        spec.attribute(name, *kind, value)
    target = oiio.ImageOutput.create(str(path))
    assert target.open(str(path), spec)
    assert target.write_image(pixels)
    assert target.close()
    return path


@pytest.mark.parametrize(
    ("attributes", "source"),
    [
        ({"colorInteropID": "lin_ap1_scene"}, "colorInteropID lin_ap1_scene"),
        ({"chromaticities": AP1}, "chromaticities (ACEScg)"),
    ],
)
def test_acescg_is_found_by_its_tags(tmp_path: Path, attributes: dict, source: str) -> None:
    pixels = (CODES / 60).astype(np.float32)
    path = exr(tmp_path / "a.exr", pixels, **attributes)
    read = read_colour(path, MANY)
    np.testing.assert_array_equal(read.pixels, pixels)
    assert (read.space, read.notes.source) == ("acescg", source)
    declared = read_colour(path, MANY, options=ReadOptions("linear"))
    assert declared.space == "linear"
    assert declared.notes.doubt == f"declared linear, but the file says {source}"
    assert not read_colour(path, MANY, options=ReadOptions("acescg")).notes.doubt


@pytest.mark.parametrize(
    ("attributes", "label"),
    [
        ({"colorInteropID": "lin_ap0_scene"}, "colorInteropID lin_ap0_scene"),
        ({"chromaticities": AP0}, "chromaticities (ACES2065-1)"),
    ],
)
def test_hdr_colours_are_converted_and_unsound_pixels_stay(
    tmp_path: Path, attributes: dict, label: str
) -> None:
    pixels = np.full((8, 8, 3), (3.0, 2.0, 1.0), np.float32)
    pixels[0, 0], pixels[0, 1], pixels[0, 2] = (np.nan, 1, 1), (np.inf, 1, 1), (-1, 2, 2)
    pixels[1] = 0, 1, 0
    read = read_colour(exr(tmp_path / "a.exr", pixels, **attributes), MANY)
    assert (read.space, read.notes.source) == ("linear", f"{label}, converted")
    expected = np.maximum(pixels[2, 2] @ AP0_TO_REC709.T, 0)
    np.testing.assert_allclose(read.pixels[2, 2], expected, atol=1e-4)
    np.testing.assert_array_equal(read.pixels[0, :3], pixels[0, :3])
    np.testing.assert_allclose(read.pixels[1, 0], (0, 1.3727191, 0), atol=1e-4)
    assert read.notes.out_of_gamut == 8


def test_rec709_and_untagged_exr_stay_linear(tmp_path: Path) -> None:
    pixels = (CODES / 60).astype(np.float32)
    for attributes, source in (
        ({}, "pixel type"),
        ({"colorInteropID": "data"}, "pixel type"),
        ({"colorInteropID": "lin_rec709_scene"}, "colorInteropID lin_rec709_scene"),
        (
            {"chromaticities": files.D65_PRIMARIES["Rec.709"]},
            "chromaticities (Linear Rec.709 (sRGB))",
        ),
    ):
        read = read_colour(exr(tmp_path / "a.exr", pixels, **attributes), MANY)
        np.testing.assert_array_equal(read.pixels, pixels)
        assert (read.space, read.notes.source) == ("linear", source)


def test_unknown_tags_are_refused_unless_a_space_is_declared(tmp_path: Path) -> None:
    pixels, unknown = (CODES / 60).astype(np.float32), (0.7, 0.3, 0.2, 0.7, 0.15, 0.05, 0.31, 0.33)
    for attributes, message in (
        ({"chromaticities": unknown}, r"chromaticities \(0\.7, 0\.3, .*no colour space that"),
        ({"colorInteropID": "studio:mine"}, "colorInteropID studio:mine cannot be converted"),
    ):
        path = exr(tmp_path / "a.exr", pixels, **attributes)
        with pytest.raises(ValueError, match=message):
            read_colour(path, MANY)
        declared = read_colour(path, MANY, options=ReadOptions("linear"))
        np.testing.assert_array_equal(declared.pixels, pixels)
        assert declared.notes.doubt.startswith("declared linear, but the file says")


@pytest.mark.parametrize("transfer", ["Logarithmic", "Printing density"])
def test_log_encoded_files_are_refused_by_name(tmp_path: Path, transfer: str) -> None:
    log = broken.image(tmp_path / "a.dpx", CODES, attributes={"dpx:Transfer": transfer})
    cineon = files.cineon(tmp_path / "a.cin")
    for path, label in ((log, f"DPX transfer {transfer}"), (cineon, "Cineon")):
        with pytest.raises(ValueError, match=rf"{path.name}: {label} .*log-encoded.*colour_space"):
            read_colour(path, MANY)
        declared = read_colour(path, MANY, options=ReadOptions("srgb"))
        assert declared.notes.doubt == f"declared srgb, but the file says {label}"


def test_other_dpx_files_are_read(tmp_path: Path) -> None:
    for transfer, space in (("Linear", "linear"), ("User defined", "srgb")):
        path = broken.image(tmp_path / "a.dpx", CODES, attributes={"dpx:Transfer": transfer})
        assert read_colour(path, MANY).space == space


@pytest.mark.parametrize(("brand", "name"), [(b"heic", "HEIC"), (b"avif", "AVIF")])
def test_heic_and_avif_are_named(tmp_path: Path, brand: bytes, name: str) -> None:
    path = files.heif(tmp_path / f"a.{brand.decode()}", brand)
    message = rf"a\.{brand.decode()}: the format {name}, .* OpenImageIO .* libheif"
    with pytest.raises(ValueError, match=message):
        read_colour(path, MANY)
