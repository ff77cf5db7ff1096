"""What all readers share: declarations, masks, reasons, signatures."""

import os
import pickle
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.readers.filename_list import FilenameListDataset
from albedo_pipeline.readers.raw_pairs import RawPairReference
from tests.support import broken_images as broken
from tests.support import colour_files


def reference(folder: Path, names: str = "b.exr a.exr", **options) -> RawPairReference:
    (folder / "pairs.txt").write_text(names + "\n")
    return FilenameListDataset(filepath=str(folder / "pairs.txt"), **options).load()[0]


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A folder with a beauty b.exr and an albedo a.exr of 4 x 4."""
    for name in ("b.exr", "a.exr"):
        broken.image(tmp_path / name, broken.noise(4, 4))
    return tmp_path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"colour_space": "sRGB"},
            "^colour_space: 'sRGB' is not one of auto, linear, srgb, acescg$",
        ),
        ({"colour_space": {"beauty": "linear"}}, "^colour_space: expected the keys beauty and"),
        (
            {"colour_space": {"beauty": "linear", "albedo": "gamma"}},
            r"^colour_space\.albedo: 'gamma' is not one of",
        ),
        ({"mask_rule": "white"}, "^mask_rule: 'white' is not one of above_half, non_zero, below"),
        ({"alpha": "premultiplied"}, "^alpha: 'premultiplied' is not one of mask, ignore$"),
        (
            {"alpha": {"albedo": "ignore"}},
            "^alpha: expected the keys beauty and albedo, not albedo$",
        ),
        ({"grey_beauty": "yes"}, "^grey_beauty: 'yes' is not true or false$"),
        ({"max_megapixels": 0}, "^max_megapixels: 0 is not a number above 0$"),
        ({"max_megapixels": "many"}, "^max_megapixels: 'many' is not a number above 0$"),
    ],
)
def test_wrong_arguments_are_named(options: dict, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        FilenameListDataset(filepath="x.txt", **options)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("above_half", [0, 0, 0, 1]), ("non_zero", [0, 1, 0, 1]), ("below_half", [1, 1, 0, 0])],
)
def test_mask_rules(pair: Path, rule: str, expected: list[int]) -> None:
    mask = np.zeros((4, 4, 3), np.float32)
    mask[:, 1], mask[:, 2], mask[:, 3] = 0.25, (0, 1, 1), 1
    broken.image(pair / "m.exr", mask)
    valid = reference(pair, "b.exr a.exr m.exr", mask_rule=rule).load().valid
    np.testing.assert_array_equal(valid, np.tile(np.array(expected, bool), (4, 1)))


def test_transparency_of_either_image_and_the_mask_add_up(pair: Path) -> None:
    for name, place in (("b.exr", 0), ("a.exr", 1)):
        pixels = np.ones((4, 4, 4), np.float32)
        pixels[place, place, 3] = 0
        broken.image(pair / name, pixels, ("R", "G", "B", "A"))
    mask = np.full((4, 4, 1), 255, np.uint8)
    mask[2, 2] = 127
    broken.image(pair / "m.png", mask, ("Y",))
    valid = reference(pair, "b.exr a.exr m.png").load().valid
    assert np.argwhere(~valid).tolist() == [[0, 0], [1, 1], [2, 2]]


def test_alpha_can_be_ignored_in_one_image(pair: Path) -> None:
    opaque = np.ones((4, 4, 4), np.float32)
    opaque[0, 0, 3] = 0
    broken.image(pair / "b.exr", opaque, tuple("RGBA"))
    broken.image(pair / "a.exr", opaque * (1, 1, 1, 0), tuple("RGBA"))
    with pytest.raises(
        BadSampleError, match=r"^a\.exr: alpha is 0 everywhere.* option alpha, .* to ignore$"
    ):
        reference(pair).load()
    read = reference(pair, alpha={"beauty": "mask", "albedo": "ignore"}).load()
    assert np.argwhere(~read.valid).tolist() == [[0, 0]]
    assert reference(pair, alpha="ignore").load().valid.all()


def test_tags_decide_if_the_colour_space_is_auto(pair: Path) -> None:
    picture = Image.fromarray(np.full((4, 4, 3), (200, 100, 50), np.uint8))
    picture.save(pair / "b.png", icc_profile=colour_files.DISPLAY_P3)
    read = reference(pair, "b.png a.exr", colour_space="auto").load()
    assert (read.beauty_space, read.albedo_space) == ("srgb", "linear")
    assert read.beauty_notes.source == "ICC profile (Display P3), converted"
    assert read.albedo_notes.source == "pixel type"
    # LittleCMS gives (215, 93, 31).
    np.testing.assert_allclose(read.beauty[0, 0] * 255, (215, 93, 31), atol=1)
    declared = reference(pair, "b.png a.exr", colour_space={"beauty": "srgb", "albedo": "linear"})
    np.testing.assert_allclose(declared.load().beauty[0, 0] * 255, (200, 100, 50), atol=1e-4)
    doubt = "declared srgb, but the file says ICC profile (Display P3)"
    assert declared.load().beauty_notes.doubt == doubt


def test_only_a_beauty_may_be_grey(pair: Path) -> None:
    broken.grey(pair / "grey.png")
    broken.image(pair / "b.exr", broken.noise())
    read = reference(pair, "grey.png b.exr", grey_beauty=True).load()
    np.testing.assert_array_equal(read.beauty, read.beauty[..., :1].repeat(3, -1))
    with pytest.raises(BadSampleError, match=r"^grey\.png: 1 channel"):
        reference(pair, "b.exr grey.png", grey_beauty=True).load()


def test_sizes_that_differ(pair: Path) -> None:
    broken.image(pair / "b8.exr", broken.noise(8, 6))
    broken.image(pair / "m.exr", np.ones((4, 4, 1), np.float32), ("Y",))
    with pytest.raises(BadSampleError, match=r"^mask is 4 x 4 but beauty is 6 x 8$"):
        reference(pair, "b8.exr a.exr m.exr").load()
    see_through = np.ones((4, 4, 4), np.float32)
    see_through[0, 0, 3] = 0
    broken.image(pair / "a.exr", see_through, ("R", "G", "B", "A"))
    with pytest.raises(BadSampleError, match=r"^albedo is 4 x 4 but beauty is 6 x 8$"):
        reference(pair, "b8.exr a.exr").load()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("b.exr none.exr", r"^none\.exr: no such file$"),
        ("b.exr grey.png", r"^grey\.png: 1 channel\(s\) \(Y\), expected red, .* grey_beauty "),
        ("b.exr cut.exr", r"^cut\.exr: .*: damaged or cut off$"),
        ("b.exr a.exr empty.png", r"^empty\.png: empty file$"),
        ("b.exr big.exr", r"^big\.exr: 48 x 64 pixels: more than 0\.001 megapixels$"),
    ],
)
def test_reasons_begin_with_the_name_as_written(pair: Path, names: str, message: str) -> None:
    broken.grey(pair / "grey.png")
    broken.cut(pair / "cut.exr")
    broken.empty(pair / "empty.png")
    broken.image(pair / "big.exr", broken.noise())
    limit = 0.001 if "big" in names else 128
    with pytest.raises(BadSampleError, match=message) as raised:
        reference(pair, names, max_megapixels=limit).load()
    assert ".exr" not in str(raised.value).rpartition(": ")[2]


def test_a_signature_tells_every_change(pair: Path) -> None:
    first = reference(pair).signature()
    assert reference(pair).signature() == first
    others = {
        reference(pair, **o).signature()
        for o in ({"colour_space": "srgb"}, {"mask_rule": "non_zero"}, {"max_megapixels": 1})
    }
    os.utime(pair / "a.exr", ns=(5, time.time_ns()))
    others.add(reference(pair).signature())
    (pair / "a.exr").unlink()
    others.add(reference(pair).signature())
    assert len(others) == 5
    assert first not in others


def test_references_can_be_pickled(pair: Path) -> None:
    original = reference(pair)
    copy = pickle.loads(pickle.dumps(original))  # noqa: S301
    assert copy.signature() == original.signature()
    np.testing.assert_array_equal(copy.load().beauty, original.load().beauty)


def test_readers_write_nothing(tmp_path: Path) -> None:
    from albedo_pipeline.readers.hypersim import HypersimDataset

    with pytest.raises(Exception, match="raw data is read-only, so nothing can be saved here"):
        HypersimDataset(filepath=str(tmp_path)).save([])
