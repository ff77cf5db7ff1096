"""Tables of pairs: columns, defaults, and rows that are refused by number."""

from pathlib import Path
from unicodedata import normalize

import pandas as pd
import pytest
from kedro.io import DatasetError

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.readers.manifest_table import ManifestTableDataset
from albedo_pipeline.readers.raw_pairs import RawPairReference
from tests.support import broken_images as broken


def csv(folder: Path, text: str, **options) -> list[RawPairReference]:
    (folder / "pairs.csv").write_text(text, encoding="utf-8")
    return ManifestTableDataset(filepath=str(folder / "pairs.csv"), **options).load()


def test_the_least_a_table_has(tmp_path: Path) -> None:
    references = csv(tmp_path, 'beauty,albedo\na/1_beauty.exr,x\n\n"2, b.exr",y\n')
    assert [(r.sample_id, r.group) for r in references] == [("a/1", "a"), ("2, b", "2, b")]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_every_column(tmp_path: Path, kind: str) -> None:
    (tmp_path / "images").mkdir()
    broken.image(tmp_path / "images" / "b.png", broken.codes())
    broken.image(tmp_path / "images" / "a.png", broken.codes())
    broken.image(tmp_path / "images" / "m.png", broken.codes()[..., :1], ("Y",))
    table = pd.DataFrame(
        {
            "beauty": ["b.png"] * 3,
            "albedo": ["a.png"] * 3,
            "mask": ["m.png", None, None],
            "sample_id": [1, 2, 3],
            "group": ["g", "g", None],
            "colour_space": ["srgb", None, "srgb"],
            "beauty_colour_space": [None, None, "acescg"],
            "camera": ["x", "y", "z"],
        }
    )
    path = tmp_path / f"pairs.{kind}"
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    options = {"filepath": str(path), "root": "images", "ignore": ["camera"]}
    references = ManifestTableDataset(**options).load()
    assert [(r.sample_id, r.group) for r in references] == [("1", "g"), ("2", "g"), ("3", "3")]
    pairs = [reference.load() for reference in references]
    spaces = [(pair.beauty_space, pair.albedo_space) for pair in pairs]
    assert spaces == [("srgb", "srgb"), ("linear", "linear"), ("acescg", "srgb")]
    assert [bool(pair.valid.all()) for pair in pairs] == [False, True, True]
    assert len({reference.signature() for reference in references}) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the column 'beauty' is missing$"),
        ("beauty,albedo\n", r"pairs\.csv: has no rows$"),
        ("beauty,mask\na,b\n", r"pairs\.csv: the column 'albedo' is missing$"),
        ("beauty,albdeo\na,b\n", r"unknown column 'albdeo'; did you mean 'albedo'\?; known are"),
        ("beauty,albedo,beauty\na,b,c\n", "the column 'beauty' occurs twice$"),
        ("beauty,albedo\na,b\nc\n", r"pairs\.csv, line 3: 1 cell\(s\), but the header has 2$"),
        ("beauty,albedo\na,b,c\n", r"pairs\.csv, line 2: 3 cell\(s\), but the header has 2$"),
        ("beauty,albedo\na,b\n\nc,\n", r"pairs\.csv, row 2: albedo is empty$"),
        ("beauty,albedo\n,b\n", r"pairs\.csv, row 1: beauty is empty$"),
        ("beauty,albedo\na.exr,b\na.png,c\n", "row 2: sample 'a' is already in row 1$"),
        ('beauty,albedo\na,"b\n', r"pairs\.csv, line 2: unexpected end of data$"),
        ("beauty,albedo,colour_space\na,b,rgb\n", "row 1, colour_space: 'rgb' is not one of"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        csv(tmp_path, text)


def test_a_damaged_or_missing_table(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_text("no table")
    with pytest.raises(DatasetError, match=r"x\.parquet: not a valid Parquet file"):
        ManifestTableDataset(filepath=str(tmp_path / "x.parquet")).load()
    with pytest.raises(DatasetError, match=r"y\.csv: no such file$"):
        ManifestTableDataset(filepath=str(tmp_path / "y.csv")).load()
    (tmp_path / "z.csv").write_bytes("beauty,albedo\nä,b\n".encode("latin-1"))
    with pytest.raises(DatasetError, match=r"z\.csv: not UTF-8 text"):
        ManifestTableDataset(filepath=str(tmp_path / "z.csv")).load()


def test_a_byte_order_mark_is_not_part_of_a_column(tmp_path: Path) -> None:
    assert csv(tmp_path, "\ufeffbeauty,albedo\na.exr,b\n")[0].sample_id == "a"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filepath": "x.xlsx"}, r"^filepath: x\.xlsx is neither \.csv nor \.parquet$"),
        ({"filepath": "x.csv", "ignore": "camera"}, "^ignore: 'camera' is not a list of columns$"),
    ],
)
def test_wrong_arguments_are_named(options: dict, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        ManifestTableDataset(**options)


def test_the_column_split(tmp_path: Path) -> None:
    text = "beauty,albedo,split\na.png,x,train\nb.png,x,\nc.png,x,test\n"
    assert [r.split for r in csv(tmp_path, text)] == ["train", "", "test"]
    assert [r.split for r in csv(tmp_path, text, ignore=["split"])] == [None] * 3
    assert [r.split for r in csv(tmp_path, "beauty,albedo\na.png,x\n")] == [None]
    with pytest.raises(
        DatasetError,
        match=r"row 1, split: 'val' is not one of train, validation, test$",
    ):
        csv(tmp_path, "beauty,albedo,split\na.png,x,val\n")


def test_names_in_the_other_unicode_form_than_the_files(tmp_path: Path) -> None:
    for name in ("é_beauty.png", "é_albedo.png"):
        broken.image(tmp_path / normalize("NFD", name), broken.codes())
    text = normalize("NFC", "beauty,albedo\né_beauty.png,é_albedo.png\n")
    (reference,) = csv(tmp_path, text, colour_space="srgb")
    assert reference.sample_id == normalize("NFC", "é")
    assert reference.load().beauty.shape == (64, 48, 3)
