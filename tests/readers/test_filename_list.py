"""The filename list: what it reads, writes and refuses."""

import tarfile
from pathlib import Path

import numpy as np
import pytest
from kedro.io import AbstractDataset, DatasetError

from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.imaging.io.write import write_exr
from albedo_pipeline.readers.filename_list import FilenameListDataset


def listed(folder: Path, text: str, **options) -> FilenameListDataset:
    (folder / "pairs.txt").write_text(text, encoding="utf-8")
    return FilenameListDataset(filepath=str(folder / "pairs.txt"), **options)


def test_round_trip_through_exr(pair_list, fake_pair) -> None:
    reference = pair_list(groups=1, views=1).load()[0]
    loaded, expected = reference.load(), fake_pair("scene-000/view-0")
    assert (loaded.sample_id, loaded.group) == ("scene-000/view-0", "scene-000")
    assert (loaded.beauty_space, loaded.beauty_type, loaded.albedo_type) == ("linear",) + 2 * (
        "half",
    )
    np.testing.assert_allclose(loaded.beauty, expected.beauty, rtol=1e-3)  # half float
    np.testing.assert_array_equal(loaded.valid, expected.valid)


@pytest.mark.parametrize("sample_id", ["a b/c  d", '"quoted"/x', "#1/y", "it's/ü", "tab\there/z"])
def test_any_name_survives_the_list(tmp_path: Path, fake_pair, sample_id: str) -> None:
    dataset = FilenameListDataset(filepath=str(tmp_path / "raw" / "pairs.txt"))
    dataset.save([fake_pair(sample_id), fake_pair("plain/x")])
    references = dataset.load()
    assert [r.sample_id for r in references] == [sample_id, "plain/x"]
    assert references[0].load().beauty.shape == (32, 32, 3)


def test_comments_and_empty_lines_are_passed_over(tmp_path: Path) -> None:
    dataset = listed(tmp_path, "# mine\n\n \t\r\na/1_beauty.exr a/1_albedo.exr\n")
    assert [(r.sample_id, r.group) for r in dataset.load()] == [("a/1", "a")]


def test_spaces_tabs_quotes_and_unicode(tmp_path: Path) -> None:
    text = '\t"a b/1.exr"   x.exr \r\nit\'s/2.exr \t "y.exr"\n"ä\u2028ö/3.exr" "a""b.exr"\n'
    assert [r.sample_id for r in listed(tmp_path, text).load()] == ["a b/1", "it's/2", "ä\u2028ö/3"]


def test_pixels_come_as_stored_in_the_space_declared(tmp_path: Path) -> None:
    for name in ("b.exr", "a.exr"):
        write_exr(tmp_path / name, np.full((2, 2, 3), 0.5, np.float32), {}, half=False)
    spaces = {"beauty": "acescg", "albedo": "srgb"}
    pair = listed(tmp_path, "b.exr a.exr\n", colour_space=spaces).load()[0].load()
    assert (pair.beauty_space, pair.albedo_space) == ("acescg", "srgb")
    assert float(pair.albedo[0, 0, 0]) == 0.5
    assert pair.valid.all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lists no sample"),
        ("# only this\n", "lists no sample"),
        ("a.exr\n", r"pairs\.txt, line 1: 1 name\(s\), expected"),
        ("a.exr b.exr\na.exr c.exr\n", r"line 2: sample 'a' is already in line 1"),
        ("a.exr b.exr\na.png c.exr\n", r"line 2: sample 'a' is already in line 1"),
        ("a b c d\n", "line 1: 4 name"),
        ("\na b\nc d e\n", r"pairs\.txt, line 3: 3 name\(s\), but line 2 has 2$"),
        ('a.exr b.exr\n"c.exr d.exr\n', r"pairs\.txt, line 2: a double quote is not closed"),
        ('"a"b c\n', r"pairs\.txt, line 1: a double quote is not closed"),
    ],
)
def test_a_wrong_list_is_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        listed(tmp_path, text).load()


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"pairs\.txt: no such file"):
        FilenameListDataset(filepath=str(tmp_path / "pairs.txt")).load()


def test_a_missing_root_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"images\.tar: no such folder or \.tar$"):
        listed(tmp_path, "a b\n", root="images.tar").load()


def test_names_in_a_tar(pair_list, tmp_path: Path) -> None:
    expected = pair_list(groups=2, views=1).load()
    folder = tmp_path / "raw"
    with tarfile.open(tmp_path / "raw" / "images.tar", "w") as archive:
        for path in folder.glob("scene-*"):
            archive.add(path, path.name)
    packed = FilenameListDataset(filepath=str(folder / "pairs.txt"), root="images.tar").load()
    assert [r.sample_id for r in packed] == [r.sample_id for r in expected]
    for one, other in zip(packed, expected, strict=True):
        np.testing.assert_array_equal(one.load().beauty, other.load().beauty)


def test_nothing_is_read_outside_the_root(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    write_exr(tmp_path / "secret.exr", np.ones((2, 2, 3), np.float32), {}, half=True)
    (inside / "link.exr").symlink_to(tmp_path / "secret.exr")
    text = f"../secret.exr x.exr\nlink.exr x.exr\n{tmp_path}/secret.exr x.exr\n"
    for reference in listed(inside, text).load():
        with pytest.raises(
            BadSampleError, match=r"^(\.\./secret|link|/.*/secret)\.exr: leaves the"
        ):
            reference.load()


def test_a_folder_of_the_users_is_never_replaced(tmp_path: Path) -> None:
    dataset = listed(tmp_path, "mine.exr mine2.exr\n")
    with pytest.raises(Exception, match="not replaced"):
        dataset.save([])
    assert (tmp_path / "pairs.txt").exists()


@pytest.mark.parametrize(
    "options",
    [
        {"colour_space": "srgb"},
        {"mask_rule": "below_half"},
        {"root": "images"},
        {"columns": ["beauty", "albedo", "mask"]},
    ],
)
def test_nothing_is_written_that_would_be_read_otherwise(tmp_path: Path, options: dict) -> None:
    dataset = FilenameListDataset(filepath=str(tmp_path / "raw" / "pairs.txt"), **options)
    with pytest.raises(
        DatasetError, match=r"pairs\.txt: to save pairs, set colour_space to linear"
    ):
        dataset.save([])


def test_groups_of_every_way_to_write_a_name(tmp_path: Path) -> None:
    text = "x.exr y.exr\n./z.exr y.exr\na/b/c.exr y.exr\n"
    groups = {r.sample_id: r.group for r in listed(tmp_path, text).load()}
    assert groups == {"x": "x", "z": "z", "a/b/c": "a/b"}


def test_a_byte_order_mark_is_not_part_of_the_name(tmp_path: Path) -> None:
    assert listed(tmp_path, "\ufeffa/x.exr a/y.exr\n").load()[0].sample_id == "a/x"


def test_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_bytes("ä.exr b.exr\n".encode("latin-1"))
    with pytest.raises(DatasetError, match=r"pairs\.txt: not UTF-8"):
        FilenameListDataset(filepath=str(tmp_path / "pairs.txt")).load()


def test_one_file_for_both_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("s/a.png s/./a.png\n", encoding="utf-8")
    (reference,) = FilenameListDataset(filepath=str(tmp_path / "pairs.txt")).load()
    with pytest.raises(BadSampleError, match="is named as both beauty and albedo"):
        reference.load()


def test_names_are_taken_by_where_they_lead(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("b/../s/a.png s/c.png\n", encoding="utf-8")
    (reference,) = FilenameListDataset(filepath=str(tmp_path / "pairs.txt")).load()
    assert (reference.sample_id, reference.group) == ("s/a", "s")


def test_another_folder_is_another_source(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("s/a.png s/b.png\n", encoding="utf-8")
    signatures = set()
    for root in ("one", "two"):
        (tmp_path / root).mkdir()
        (reference,) = FilenameListDataset(
            filepath=str(tmp_path / "pairs.txt"), root=str(tmp_path / root)
        ).load()
        signatures.add(reference.signature())
    assert len(signatures) == 2


def test_columns_say_what_each_name_is(tmp_path: Path) -> None:
    mask = np.array([[[1.0, 1, 1], [0, 1, 1]]], np.float32)
    for name, pixels in (("b.exr", np.full((1, 2, 3), 0.5)), ("a.exr", np.full((1, 2, 3), 0.25))):
        write_exr(tmp_path / name, pixels.astype(np.float32), {}, half=False)
    write_exr(tmp_path / "m.exr", mask, {}, half=False)
    columns = ["albedo", None, "mask", "beauty"]
    (reference,) = listed(tmp_path, "a.exr no.txt m.exr b.exr\n", columns=columns).load()
    pair = reference.load()
    assert (pair.sample_id, reference.beauty) == ("b", "b.exr")
    assert (pair.beauty[0, 0, 0], pair.albedo[0, 0, 0]) == (0.5, 0.25)
    assert pair.valid.tolist() == [[True, False]]


@pytest.mark.parametrize(
    "columns",
    [
        "beauty albedo",
        ["beauty"],
        ["beauty", "albedo", "material"],
        ["beauty", "albedo", "albedo"],
        ["beauty", "albedo", "mask", "mask"],
        [],
        7,
    ],
)
def test_wrong_columns_are_refused(tmp_path: Path, columns: object) -> None:
    with pytest.raises(DatasetError, match=r"columns: .* is not a list with beauty and albedo"):
        AbstractDataset.from_config(
            "raw_pairs",
            {"type": FilenameListDataset, "filepath": str(tmp_path / "p.txt"), "columns": columns},
        )


@pytest.mark.parametrize(
    ("options", "text", "message"),
    [
        (
            {"preset": "interiorverse_iid"},
            "a b c\n",
            r"line 1: 3 name\(s\), but there are 4 columns \(beauty albedo null mask\)$",
        ),
        (
            {"preset": "hypersim_iid"},
            "a b c d e\nf g\n",
            r"line 2: 2 name\(s\), but line 1 has 5$",
        ),
        ({}, "a b c d e\n", r"set columns, or preset \(interiorverse_iid, hypersim_iid\)$"),
    ],
)
def test_a_line_has_a_name_for_each_column(
    tmp_path: Path, options: dict, text: str, message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        listed(tmp_path, text, **options).load()


def test_an_unknown_preset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"^preset: 'vkitti' is not one of interiorverse_iid"):
        listed(tmp_path, "a b\n", preset="vkitti")


def test_options_replace_those_of_the_preset(tmp_path: Path) -> None:
    options = {"columns": ["beauty", "albedo"], "colour_space": "acescg"}
    for name in ("b.exr", "a.exr"):
        write_exr(tmp_path / name, np.ones((1, 1, 3), np.float32), {}, half=True)
    (reference,) = listed(tmp_path, "b.exr a.exr\n", preset="interiorverse_iid", **options).load()
    assert reference.load().beauty_space == "acescg"
