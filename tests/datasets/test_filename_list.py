"""The filename list: what it reads, writes and refuses."""

from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.datasets.filename_list import FilenameListDataset
from albedo_pipeline.errors import BadSampleError
from albedo_pipeline.imaging.colour import decode_srgb
from albedo_pipeline.imaging.files import write_exr


def listed(folder: Path, text: str, **options) -> FilenameListDataset:
    (folder / "pairs.txt").write_text(text, encoding="utf-8")
    return FilenameListDataset(filepath=str(folder / "pairs.txt"), **options)


def test_round_trip_through_exr(pair_list, fake_pair) -> None:
    reference = pair_list(groups=1, views=1).load()[0]
    loaded, expected = reference.load(), fake_pair("scene-000/view-0")
    assert (loaded.sample_id, loaded.group) == ("scene-000/view-0", "scene-000")
    np.testing.assert_allclose(loaded.beauty, expected.beauty, rtol=1e-3)  # half float
    np.testing.assert_array_equal(loaded.valid, expected.valid)


def test_comments_and_empty_lines_are_passed_over(tmp_path: Path) -> None:
    dataset = listed(tmp_path, "# mine\n\na/1_beauty.exr a/1_albedo.exr\n")
    assert [(r.sample_id, r.group) for r in dataset.load()] == [("a/1", "a")]


def test_srgb_is_decoded(tmp_path: Path) -> None:
    for name in ("b.exr", "a.exr"):
        write_exr(tmp_path / name, np.full((2, 2, 3), 0.5, np.float32), {}, half=False)
    pair = listed(tmp_path, "b.exr a.exr\n", colour_space="srgb").load()[0].load()
    np.testing.assert_allclose(pair.albedo, decode_srgb(np.float32(0.5)))
    assert pair.valid.all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lists no sample"),
        ("a.exr\n", r"pairs\.txt, line 1: 1 names, expected"),
        ("a.exr b.exr\na.exr c.exr\n", r"line 2: sample 'a' stands in line 1 too"),
        ("a b c d\n", "line 1: 4 names"),
    ],
)
def test_a_wrong_list_is_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Exception, match=message):
        listed(tmp_path, text).load()


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"pairs\.txt: no such file"):
        FilenameListDataset(filepath=str(tmp_path / "pairs.txt")).load()


def test_nothing_is_read_outside_the_root(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    write_exr(tmp_path / "secret.exr", np.ones((2, 2, 3), np.float32), {}, half=True)
    (inside / "link.exr").symlink_to(tmp_path / "secret.exr")
    text = "../secret.exr ../secret.exr\nlink.exr link.exr\n"
    for reference in listed(inside, text).load():
        with pytest.raises(BadSampleError, match="leaves the folder"):
            reference.load()


def test_a_folder_of_the_users_is_never_replaced(tmp_path: Path) -> None:
    dataset = listed(tmp_path, "mine.exr mine2.exr\n")
    with pytest.raises(Exception, match="not replaced"):
        dataset.save([])
    assert (tmp_path / "pairs.txt").exists()


def test_groups_of_every_way_to_write_a_name(tmp_path: Path) -> None:
    text = "x.exr y.exr\n./z.exr y.exr\na/b/c.exr y.exr\n"
    groups = {r.sample_id: r.group for r in listed(tmp_path, text).load()}
    assert groups == {"x": "x", "z": "z", "a/b/c": "a/b"}


def test_a_byte_order_mark_is_not_part_of_the_name(tmp_path: Path) -> None:
    assert listed(tmp_path, "\ufeffa/x.exr a/y.exr\n").load()[0].sample_id == "a/x"


def test_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_bytes("ä.exr b.exr\n".encode("latin-1"))
    with pytest.raises(Exception, match=r"pairs\.txt: not UTF-8"):
        FilenameListDataset(filepath=str(tmp_path / "pairs.txt")).load()
