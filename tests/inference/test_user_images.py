"""The user's images: which files are found, and how their beauty is read."""

import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.io.size import read_size
from albedo_pipeline.inference.user_images import find_images, output_names, read_beauty
from albedo_pipeline.params import PredictParams
from tests.support import colour_files
from tests.support.broken_images import codes, image, text


@pytest.fixture
def images_folder(tmp_path: Path) -> Path:
    """A folder of empty files."""
    folder = tmp_path / "in"
    (folder / "room").mkdir(parents=True)
    for name in ("a.png", "a.hdr", "half.exr", "room/deep.tif", "readme.txt", ".hidden.png"):
        (folder / name).write_bytes(b"")
    return folder


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder that its user owns; the test runs as that user, whom permissions bind."""
    folder = Path(tempfile.mkdtemp(prefix="nobody-"))
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, 65534, 65534)
        os.setresuid(65534, 65534, 0)
    try:
        yield folder
    finally:
        if is_root:
            os.setresuid(0, 0, 0)
        for path in sorted(folder.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o700)
        shutil.rmtree(folder)


def test_shares_of_unsound_and_transparent_pixels_are_recorded(tmp_path: Path) -> None:
    pixels = np.full((8, 8, 3), 0.5, np.float32)
    pixels[0], pixels[1, :4] = np.nan, -1
    path = image(tmp_path / "a.exr", pixels)
    params = PredictParams(exposure={"policy": "fixed", "stops": -1})
    beauty = read_beauty(path, params)
    assert beauty.record["nonfinite_share"] == 8 / 64
    assert beauty.record["negative_share"] == 4 / 64
    assert beauty.record["exposure"] == 0.5
    assert not beauty.stored[0].any()
    np.testing.assert_allclose(beauty.stored[2] / 65535, encode_srgb(np.float32(0.25)), atol=1e-4)
    see_through = np.full((8, 8, 4), 200, np.uint8)
    see_through[..., 3] = 255
    see_through[:2, :, 3] = 0
    path = image(tmp_path / "b.png", see_through, ("R", "G", "B", "A"))
    assert read_beauty(path, params).record["transparent_share"] == 0.25


def test_colours_are_converted_by_their_tag_and_not_exposed(tmp_path: Path) -> None:
    codes = np.full((8, 8, 3), (200, 100, 50), np.uint8)
    Picture.fromarray(codes).save(tmp_path / "a.png", icc_profile=colour_files.DISPLAY_P3)
    params = PredictParams(exposure={"policy": "fixed", "stops": -1})
    beauty = read_beauty(tmp_path / "a.png", params)
    # LittleCMS gives (215, 93, 31).
    np.testing.assert_allclose(beauty.stored[0, 0] / 257, (215, 93, 31), atol=1)
    assert beauty.record["colour_source"] == "ICC profile (Display P3), converted"
    assert (beauty.record["space"], beauty.record["exposure"]) == ("srgb", 1)
    declared = read_beauty(tmp_path / "a.png", PredictParams(colour_space="srgb"))
    np.testing.assert_array_equal(declared.stored[0, 0], (200 * 257, 100 * 257, 50 * 257))
    doubt = "declared srgb, but the file says ICC profile (Display P3)"
    assert declared.record["colour_doubt"] == doubt


def test_grey_images_are_replicated(tmp_path: Path) -> None:
    codes = np.arange(64, dtype=np.uint8).reshape(8, 8, 1)
    beauty = read_beauty(image(tmp_path / "a.png", codes, ("Y",)), PredictParams())
    np.testing.assert_array_equal(beauty.stored, codes.repeat(3, -1).astype(np.uint16) * 257)


def test_alpha_can_be_ignored(tmp_path: Path) -> None:
    clear = np.full((8, 8, 4), (200, 100, 50, 0), np.uint8)
    path = image(tmp_path / "a.png", clear, tuple("RGBA"))
    with pytest.raises(
        BadSampleError, match=r"^alpha is 0 everywhere.* predict\.alpha, to ignore$"
    ):
        read_beauty(path, PredictParams())
    beauty = read_beauty(path, PredictParams(alpha="ignore"))
    np.testing.assert_array_equal(beauty.stored[0, 0], (200 * 257, 100 * 257, 50 * 257))
    assert beauty.record["transparent_share"] == 0
    clear[..., 3] = 128
    with pytest.raises(BadSampleError, match=r"set predict\.alpha to ignore$"):
        read_beauty(image(tmp_path / "a.png", clear, tuple("RGBA")), PredictParams())


def test_heic_and_avif_count_as_images(tmp_path: Path) -> None:
    for name, brand in (("a.HEIC", b"heic"), ("b.avif", b"avif")):
        colour_files.heif(tmp_path / name, brand)
    found = find_images(str(tmp_path))
    assert ([i.name for i in found.images], found.others) == (["a.HEIC", "b.avif"], 0)
    with pytest.raises(BadSampleError, match="the format AVIF, which the installed package Open"):
        read_beauty(tmp_path / "b.avif", PredictParams())


def test_a_folder_a_pattern_or_a_single_file_can_be_named(images_folder: Path, monkeypatch) -> None:
    monkeypatch.chdir(images_folder)

    def names(location: str) -> list[str]:
        return [found.name for found in find_images(location).images]

    assert names(str(images_folder)) == ["a.hdr", "a.png", "half.exr", "room/deep.tif"]
    assert find_images(str(images_folder)).others == 2
    assert names(str(images_folder / "*.exr")) == ["half.exr"]
    assert names("**/*.tif") == ["room/deep.tif"]
    assert names(str(images_folder / "room" / "deep.tif")) == ["deep.tif"]
    (images_folder / "odd[1].png").write_bytes(b"")
    assert names(str(images_folder / "odd[1].png")) == ["odd[1].png"]
    (images_folder / "take [2]").mkdir()
    (images_folder / "take [2]" / "b.png").write_bytes(b"")
    assert names(str(images_folder / "take [2]" / "*.png")) == ["b.png"]


def test_images_in_object_storage_are_refused_clearly() -> None:
    with pytest.raises(ProjectError, match=r"^s3://b/x: predict\.input must be on a disk"):
        find_images("s3://b/x")


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("nowhere", "no such file or folder"),
        ("*.bmp", "no file matches the pattern"),
        ("empty", "an empty folder"),
        ("texts", "no image among 1 file(s)"),
        ("mac", "no image among 0 file(s) and 1 companion file(s) (._name"),
        ("pipe.png", "a named pipe, expected a file"),
        ("dangling.png", "a link to gone, which does not exist"),
        ("circle.png", "links that lead in a circle"),
        ("**x/a.png", "Invalid pattern"),
    ],
)
def test_the_error_says_why_no_image_was_found(tmp_path: Path, location: str, reason: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    text(tmp_path / "texts" / "readme.txt")
    (tmp_path / "mac").mkdir()
    (tmp_path / "mac" / "._a.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "dangling.png").symlink_to("gone")
    (tmp_path / "circle.png").symlink_to("circle.png")
    with pytest.raises(
        ProjectError, match=rf"^predict\.input: .*{re.escape(f'{location}: {reason}')}"
    ):
        find_images(str(tmp_path / location))


def test_an_unknown_home_folder_is_named() -> None:
    with pytest.raises(ProjectError, match=r"^predict\.input: ~nobody-here/in: .*home directory"):
        find_images("~nobody-here/in")


def test_what_cannot_be_read_counts_as_an_image(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling.png").symlink_to("gone")
    (tmp_path / "circle.png").symlink_to("circle.png")
    (tmp_path / "folder.png").mkdir()
    with zipfile.ZipFile(tmp_path / "zip.npy", "w") as archive:
        archive.writestr("a.npy", b"")
    sound = image(tmp_path / "sound.png", codes())
    sound.rename(os.fsdecode(os.fsencode(tmp_path) + b"/n\xff.png"))
    found = find_images(str(tmp_path))
    assert found.others == 1
    reasons = {}
    for listed in found.images:
        assert read_size(listed.path) is None
        with pytest.raises(BadSampleError) as raised:
            read_beauty(listed.path, PredictParams())
        reasons[listed.name] = str(raised.value)
    assert reasons == {
        "circle.png": "links that lead in a circle",
        "dangling.png": "a link to gone, which does not exist",
        "n\udcff.png": "its name is not UTF-8; rename the file or its folder",
        "pipe.png": "a named pipe, expected a file",
        "zip.npy": "not a .npy file, or a damaged one",
    }


def test_what_may_not_be_read_is_named_and_the_rest_is_found(as_nobody: Path) -> None:
    """Permissions of a user who is not root."""
    folder, locked = as_nobody / "in", as_nobody / "locked"
    for made in (folder, locked, folder / "sub"):
        made.mkdir()
    for path in (folder / "a.png", folder / "b.png", locked / "c.png"):
        image(path, codes())
    (folder / "link.png").symlink_to(locked / "c.png")
    for path in (folder / "b.png", folder / "sub", locked):
        path.chmod(0)
    found = {listed.name: listed for listed in find_images(str(folder)).images}
    assert list(found) == ["a.png", "b.png", "link.png", "sub"]
    assert read_beauty(found.pop("a.png").path, PredictParams()).record["width"] == 48
    for listed in found.values():
        assert isinstance(listed.signature(), str)
        with pytest.raises(BadSampleError, match=r"^Permission denied$"):
            read_beauty(listed.path, PredictParams())
    for location in (folder / "sub", locked / "c.png", folder / "link.png"):
        with pytest.raises(ProjectError, match=r": Permission denied$"):
            find_images(str(location))
    assert [listed.name for listed in find_images(str(folder / "*.png")).images] == [
        "a.png",
        "b.png",
        "link.png",
    ]


def test_output_names_are_unique() -> None:
    names = ["a.png", "a.exr", "b.png", "a.png.exr", "c/a.png"]
    assert output_names(names) == ["a.png", "a.exr", "b", "a.png.exr", "c/a"]
