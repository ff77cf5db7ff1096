"""Pairs found by patterns: what belongs together, what is missing, what is too much."""

import logging
import tarfile
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from kedro.io import DatasetError

from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.readers.folder_pattern import FolderPatternDataset
from tests.support import broken_images as broken


def folder(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        broken.image(path / name, broken.codes()[:4, :4])
    return path


def found(path: Path, **options) -> dict[str, str]:
    references = FolderPatternDataset(filepath=str(path), **options).load()
    return {r.sample_id: r.group for r in references}


def test_samples_span_folders(tmp_path: Path) -> None:
    names = ("a/b/1_beauty.png", "a/b/1_albedo.tif", "a/2_beauty.png", "a/2_albedo.png")
    folder(tmp_path, *names, "3_beauty.png", "3_albedo.png", "notes.png")
    assert found(tmp_path) == {"3": "3", "a/2": "a", "a/b/1": "a/b"}
    pair = FolderPatternDataset(filepath=str(tmp_path)).load()[2].load()
    np.testing.assert_allclose(pair.albedo * 255, broken.codes()[:4, :4], atol=1e-3)
    assert (pair.sample_id, pair.group, pair.albedo_type) == ("a/b/1", "a/b", "uint8")


def test_groups_named_in_the_pattern(tmp_path: Path) -> None:
    folder(tmp_path, "s1/rgb/7.png", "s1/alb/7.png", "s2/rgb/x/7.png", "s2/alb/x/7.png")
    patterns = {"beauty": "{group}/rgb/{sample}.*", "albedo": "{group}/alb/{sample}.*"}
    assert found(tmp_path, **patterns) == {"s1/7": "s1", "s2/x/7": "s2"}


def test_a_folder_of_each_role_makes_no_group(tmp_path: Path) -> None:
    folder(tmp_path, "rgb/s1/7.png", "alb/s1/7.png", "rgb/8.png", "alb/8.png")
    patterns = {"beauty": "rgb/{sample}.*", "albedo": "alb/{sample}.*"}
    assert found(tmp_path, **patterns) == {"8": "8", "s1/7": "s1"}


def test_fields_may_repeat_and_special_characters_are_plain(tmp_path: Path) -> None:
    folder(tmp_path, "a+(1)/a+(1).rgb.png", "a+(1)/a+(1).alb.png", "a+(1)/other.rgb.png")
    patterns = {"beauty": "{sample}/{sample}.rgb.*", "albedo": "{sample}/{sample}.alb.*"}
    assert found(tmp_path, **patterns) == {"a+(1)": "a+(1)"}


def test_a_file_belongs_to_the_closest_pattern(tmp_path: Path) -> None:
    folder(tmp_path, "a/1.png", "a/1_albedo.png")
    assert found(tmp_path, beauty="{sample}.*") == {"a/1": "a"}


def test_the_same_from_a_tar(tmp_path: Path) -> None:
    folder(tmp_path / "data", "a/1_beauty.png", "a/1_albedo.png")
    with tarfile.open(tmp_path / "data.tar", "w") as archive:
        archive.add(tmp_path / "data", ".")
    packed = FolderPatternDataset(filepath=str(tmp_path / "data.tar")).load()[0]
    unpacked = FolderPatternDataset(filepath=str(tmp_path / "data")).load()[0]
    assert packed.sample_id == unpacked.sample_id == "a/1"
    np.testing.assert_array_equal(packed.load().beauty, unpacked.load().beauty)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], r"^a/1_albedo\.\*: no albedo$"),
        (["a/1_albedo.png"], r"^a/1_mask\.\*: no mask$"),
        (
            ["a/1_albedo.png", "a/1_albedo.tif"],
            r"^a/1_albedo\.png, a/1_albedo\.tif: 2 files for one albedo$",
        ),
        (["a/1_beauty.tif"], r"^a/1_beauty\.png, a/1_beauty\.tif: 2 files for one beauty$"),
    ],
)
def test_a_sample_that_is_not_whole(tmp_path: Path, names: list[str], message: str) -> None:
    whole = [f"a/2_{role}.png" for role in ("beauty", "albedo", "mask")]
    folder(tmp_path, "a/1_beauty.png", *names, *whole)
    dataset = FolderPatternDataset(filepath=str(tmp_path), mask="{sample}_mask.*")
    bad, good = dataset.load()
    assert good.load().valid.shape == (4, 4)
    assert (bad.sample_id, bad.group, type(bad.signature())) == ("a/1", "a", str)
    with pytest.raises(BadSampleError, match=message):
        bad.load()


def test_pixels_are_masked_by_their_ids(tmp_path: Path) -> None:
    folder(tmp_path, "1_beauty.png", "1_albedo.png", "2_beauty.png", "2_albedo.png")
    ids = np.zeros((4, 4, 1), np.uint8)
    ids[0, 1], ids[3] = 7, 200
    broken.image(tmp_path / "1_material.png", ids, ("Y",))
    options = {"ids": "{sample}_material.*", "masked_ids": [7, 200]}
    first, second = FolderPatternDataset(filepath=str(tmp_path), **options).load()
    pair = first.load()
    assert np.argwhere(~pair.valid).tolist() == [[0, 1], [3, 0], [3, 1], [3, 2], [3, 3]]
    assert pair.masked_id_share == 5 / 16
    with pytest.raises(BadSampleError, match=r"^2_material\.\*: no ids$"):
        second.load()
    broken.image(tmp_path / "1_material.png", ids[:2], ("Y",))
    with pytest.raises(BadSampleError, match=r"^ids is 4 x 2 but beauty is 4 x 4$"):
        first.load()


def test_albedos_alone_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder(tmp_path, "1_beauty.png", "1_albedo.png", "2_albedo.png", "3_albedo.png")
    with caplog.at_level(logging.WARNING):
        assert list(found(tmp_path)) == ["1"]
    assert "2 albedo(s) without a beauty" in caplog.text


def test_nothing_fits(tmp_path: Path) -> None:
    folder(tmp_path / "x", *(f"{i}.png" for i in range(5)))
    message = r"x: no file fits the pattern '\{sample\}_beauty\.\*' \(beauty\); found, for "
    with pytest.raises(DatasetError, match=message + r"example, 0\.png, 1\.png, 2\.png$"):
        found(tmp_path / "x")
    (tmp_path / "y").mkdir()
    with pytest.raises(DatasetError, match=r"y: no file fits the pattern .* \(beauty\)$"):
        found(tmp_path / "y")
    with pytest.raises(DatasetError, match=r"z: no such folder or \.tar$"):
        found(tmp_path / "z")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beauty": "beauty.*"}, r"^beauty: 'beauty\.\*' must contain \{sample\}"),
        ({"mask": "{sample}_{scene}.*"}, r"^mask: '.*' must contain \{sample\}, and may contain"),
        (
            {"albedo": "{group}/{sample}_a.*"},
            r"^albedo: .* does not have the same fields as beauty, '",
        ),
        ({"albedo": "{sample}_beauty.*"}, "two patterns are the same$"),
        ({"beauty": 3}, "^beauty: 3 is not a pattern of names$"),
    ],
)
def test_wrong_patterns_are_named(options: dict, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        FolderPatternDataset(filepath="x", **options)


def test_files_of_one_sample_in_different_unicode_forms(tmp_path: Path) -> None:
    """The sample is spelled as its beauty is; a pattern is matched in either form."""
    names = {form: normalize(form, "Büro/é") for form in ("NFC", "NFD")}
    for role, form in (("Bild", "NFD"), ("albedo", "NFC")):
        path = tmp_path / f"{names[form]}_{role}.png"
        path.parent.mkdir(exist_ok=True)
        broken.image(path, broken.codes())
    (reference,) = FolderPatternDataset(
        filepath=str(tmp_path), beauty="{sample}_Bild.*", colour_space="srgb"
    ).load()
    assert (reference.sample_id, reference.group) == (names["NFD"], normalize("NFD", "Büro"))
    assert reference.load().beauty.shape == (64, 48, 3)

    (reference,) = FolderPatternDataset(
        filepath=str(tmp_path),
        beauty=normalize("NFC", "Büro/{sample}_Bild.*"),
        albedo=normalize("NFD", "Büro/{sample}_albedo.*"),
        colour_space="srgb",
    ).load()
    assert reference.load().albedo.shape == (64, 48, 3)
