"""The sRGB transfer function and ACEScg: published values and round trips."""

import numpy as np
import OpenImageIO as oiio
import pytest

from albedo_pipeline.imaging.colour import (
    ACESCG_TO_REC709,
    decode_srgb,
    encode_srgb,
    from_linear,
    luminance,
    to_linear,
)


def test_known_values_of_srgb() -> None:
    # IEC 61966-2-1: linear below 0.0031308; middle grey, 0.18, is encoded as 0.4614 (8-bit: 118)
    np.testing.assert_allclose(
        encode_srgb(np.array([0, 0.001, 0.18, 1])), [0, 0.01292, 0.46135, 1], atol=1e-5
    )


def test_srgb_round_trip() -> None:
    values = np.linspace(0, 1, 4097, dtype=np.float32)
    np.testing.assert_allclose(decode_srgb(encode_srgb(values)), values, atol=1e-6)


def test_srgb_is_not_a_gamma_of_2_2() -> None:
    assert abs(encode_srgb(np.float32(0.01)) - 0.01 ** (1 / 2.2)) > 0.02


def test_luminance_of_white_is_one() -> None:
    assert luminance(np.ones(3, np.float32)) == pytest.approx(1)


def test_linear_is_not_copied() -> None:
    pixels = np.full((2, 2, 3), -0.5, np.float32)
    assert to_linear(pixels, "linear") is pixels


def test_srgb_is_decoded() -> None:
    pixels = np.full((2, 2, 3), 0.5, np.float32)
    np.testing.assert_array_equal(to_linear(pixels, "srgb"), decode_srgb(pixels))


def test_acescg_keeps_white_and_grey() -> None:
    for grey in (0.18, 1.0, 100.0):
        pixels = np.full((2, 2, 3), grey, np.float32)
        linear = to_linear(pixels, "acescg")
        assert linear.dtype == np.float32
        np.testing.assert_allclose(linear, pixels, rtol=1e-6)


def xyz_of(primaries: list[tuple[float, float]], white: tuple[float, float]) -> np.ndarray:
    """Matrix of linear RGB => XYZ from chromaticities (SMPTE RP 177)."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in [*primaries, white]]).T
    return columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])


def test_the_acescg_matrix_follows_from_the_published_chromaticities() -> None:
    bradford = np.array(
        [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
    )
    ap1 = xyz_of([(0.713, 0.293), (0.165, 0.830), (0.128, 0.044)], (0.32168, 0.33767))
    rec709 = xyz_of([(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)], (0.3127, 0.3290))
    gains = (bradford @ rec709.sum(axis=1)) / (bradford @ ap1.sum(axis=1))
    adapted = np.linalg.inv(bradford) @ np.diag(gains) @ bradford
    expected = np.linalg.inv(rec709) @ adapted @ ap1
    np.testing.assert_allclose(ACESCG_TO_REC709, expected, atol=2e-7)
    # The red of ACEScg lies outside Rec.709; the transposed matrix would give other values.
    np.testing.assert_allclose(
        to_linear(np.array([1, 0, 0]), "acescg"), [1.70505, -0.13026, -0.02400], atol=1e-5
    )


def test_acescg_is_what_opencolorio_gives() -> None:
    linear = np.random.default_rng(1).random((4, 5, 3), dtype=np.float32)
    spec = oiio.ImageSpec(5, 4, 3, oiio.FLOAT)
    image = oiio.ImageBuf(spec)
    image.set_pixels(oiio.ROI(0, 5, 0, 4, 0, 1, 0, 3), linear)
    names = ("lin_rec709_scene", "lin_ap1_scene")
    converted = oiio.ImageBufAlgo.colorconvert(image, *names, colorconfig="ocio://default")
    expected = converted.get_pixels(oiio.FLOAT)
    np.testing.assert_allclose(from_linear(linear, "acescg"), expected, atol=1e-6)
    np.testing.assert_allclose(
        to_linear(from_linear(linear, "acescg"), "acescg"), linear, atol=2e-6
    )


def test_linear_and_srgb_are_written_as_they_are_read() -> None:
    linear = np.linspace(0, 1, 30, dtype=np.float32).reshape(-1, 3)
    assert from_linear(linear, "linear") is linear
    np.testing.assert_array_equal(from_linear(linear, "srgb"), encode_srgb(linear))


def test_an_unknown_space_is_refused() -> None:
    for convert in (to_linear, from_linear):
        with pytest.raises(ValueError, match="'gamma' is not a colour space"):
            convert(np.zeros(3), "gamma")
