"""Published splits: by lists, by a column, and what is refused."""

import logging
from pathlib import Path
from unicodedata import normalize

import pandas as pd
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params import IngestParams
from albedo_pipeline.params.ingest import SplitParams
from albedo_pipeline.pipelines.ingest.nodes import describe_pairs, normalise_pairs
from albedo_pipeline.preprocessing.split_rules import split_rules
from albedo_pipeline.preprocessing.splits import PublishedSplit, published_split
from albedo_pipeline.readers.filename_list import FilenameListDataset
from albedo_pipeline.readers.pair_files import bad_reference
from albedo_pipeline.readers.raw_pairs import RawPairReference
from albedo_pipeline.shards.datasets import PairShardsDataset
from tests.support.pairs import make_pair


def references(*names: str, split: str | None = None) -> list[RawPairReference]:
    """Samples `scene/frame`, whose beauty files are `scene/frame_rgb.png`."""
    made = [bad_reference(name, name.split("/")[0], "") for name in names]
    return [
        RawPairReference(r.sample_id, r.group, r.signature, r.load, f"{r.sample_id}_rgb.png", split)
        for r in made
    ]


def split_by(folder: Path, lists: dict[str, str], **changes) -> SplitParams:
    """Settings with lists that hold these texts."""
    for split, text in lists.items():
        (folder / f"{split}.txt").write_text(text, encoding="utf-8")
    paths = {split: str(folder / f"{split}.txt") for split in lists}
    return SplitParams.model_validate({"lists": paths} | changes)


def test_lists_name_samples_or_their_beauty_files(tmp_path: Path) -> None:
    lists = {"train": "# mine\na/1\n./a/2_rgb.png more names\n", "test": '"b/1"\nb/9\n'}
    published = published_split(references("a/1", "a/2", "b/1", "c/1"), split_by(tmp_path, lists))
    assert published.by_sample == {"a/1": "train", "a/2": "train", "b/1": "test"}
    assert published.description() == {
        "split_rules": {
            "train": "list train.txt, by sample, digest 7c09e116553d",
            "test": "list test.txt, by sample, digest d37e88127098",
        },
        "left_out": 1,
        "names_without_sample": {"train": 0, "test": 1},
    }


def test_lists_name_groups(tmp_path: Path) -> None:
    params = split_by(tmp_path, {"train": "a\n", "validation": "b\n"}, by="group")
    published = published_split(references("a/1", "a/2", "b/1", "c/1"), params)
    assert published.by_sample == {"a/1": "train", "a/2": "train", "b/1": "validation"}
    assert published.left_out == 1


def test_names_match_in_either_unicode_form(tmp_path: Path) -> None:
    params = split_by(tmp_path, {"test": normalize("NFC", "é/1\n")})
    name = normalize("NFD", "é/1")
    assert published_split(references(name), params).by_sample == {name: "test"}


def test_no_sample_moves_when_others_are_added(tmp_path: Path) -> None:
    few = [f"scene-{i}/0" for i in range(0, 40, 2)]
    many = [f"scene-{i}/{view}" for i in range(40) for view in range(2)]
    lists = {"train": "\n".join(few[:15]), "validation": "\n".join(few[15:18]), "test": few[19]}
    before = published_split(references(*few), split_by(tmp_path, lists)).by_sample
    grown = lists | {"train": "\n".join([*few[:15], "scene-1/0", "scene-3/1"])}
    for texts in (lists, grown):
        after = published_split(references(*many), split_by(tmp_path, texts)).by_sample
        assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"scene-1/0", "scene-3/1"}


@pytest.mark.parametrize(
    ("lists", "changes", "message"),
    [
        (
            {"train": "a/1\n", "test": "a/1\n"},
            {},
            r"^ingest\.split\.lists: sample 'a/1' is on two lists, .*train\.txt and .*test\.txt;",
        ),
        (
            {"train": "a/1\n", "test": "a/2\n"},
            {},
            r"^ingest\.split: group 'a' is in two splits: 'a/1' in train, 'a/2' in test; ",
        ),
        (
            {"train": "a/1\n", "test": "a/2\nb/1\n"},
            {"shared_groups": ["b"]},
            r"^ingest\.split: group 'a' is in two splits",
        ),
        (
            {"train": "a\n", "test": "a\n"},
            {"by": "group", "shared_groups": ["a"]},
            r"sample 'a/1' is on two lists",
        ),
        (
            {"test": "x/1\nx/2\n"},
            {},
            r"^ingest\.split\.lists\.test: .*test\.txt: none of its 2 names is a sample of the raw "
            r"pairs; it begins with 'x/1', and a sample is named 'a/1'$",
        ),
        (
            {"test": "a/1\n"},
            {"by": "group"},
            r"none of its 1 names is a group .* begins with 'a/1', and a group is named 'a'$",
        ),
        ({"test": "\n"}, {}, r"test\.txt: lists no samples$"),
    ],
)
def test_wrong_lists_are_refused(
    tmp_path: Path, lists: dict[str, str], changes: dict, message: str
) -> None:
    with pytest.raises(ProjectError, match=message):
        published_split(references("a/1", "a/2", "b/1"), split_by(tmp_path, lists, **changes))


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    params = SplitParams(lists={"test": str(tmp_path / "none.txt")})
    with pytest.raises(ProjectError, match=r"^ingest\.split\.lists\.test: .*none\.txt: no such"):
        published_split(references("a/1"), params)


def test_lists_without_a_file_are_refused() -> None:
    with pytest.raises(ValueError, match=r"lists: name a list for train, validation or test"):
        SplitParams.model_validate({"lists": {"train": None}})


def test_a_group_may_be_in_two_splits_if_it_is_named(tmp_path: Path) -> None:
    params = split_by(tmp_path, {"train": "a/1\n", "test": "a/2\n"}, shared_groups=["a"])
    assert published_split(references("a/1", "a/2"), params).by_sample == {
        "a/1": "train",
        "a/2": "test",
    }


def test_the_column_of_the_table(tmp_path: Path) -> None:
    named = [
        *references("a/1", split="train"),
        *references("b/1", split="test"),
        *references("c/1", split=""),
    ]
    published = published_split(named, SplitParams())
    assert published.by_sample == {"a/1": "train", "b/1": "test"}
    assert published.rules == dict.fromkeys(("train", "test"), "column split of the table")
    assert (published.left_out, [r.sample_id for r in published.kept(named)]) == (1, ["a/1", "b/1"])
    with pytest.raises(ProjectError, match=r"has a column split, too; leave the lists out"):
        published_split(named, split_by(tmp_path, {"test": "a/1\n"}))
    with pytest.raises(ProjectError, match=r"is empty in every row$"):
        published_split(references("a/1", split=""), SplitParams())


def test_without_a_published_split_all_samples_stay() -> None:
    all_samples = references("a/1", "b/1")
    published = published_split(all_samples, SplitParams())
    assert published == PublishedSplit()
    assert published.kept(all_samples) == all_samples
    assert set(published.rules.values()) == {"hash of the group"}


def test_only_listed_samples_are_ingested_and_the_tables_name_the_rule(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    raw = FilenameListDataset(filepath=str(tmp_path / "raw" / "pairs.txt"))
    raw.save(make_pair(f"{scene}/{view}", 32) for scene in "abc" for view in range(2))
    lists = {"train": "a/0\na/1\n", "test": "b/1\nb/0_beauty.exr\nz/0\n"}
    split = split_by(tmp_path, lists).model_dump()
    crop = {"count": 2, "share": 0.5}
    params = IngestParams.model_validate({"resolution": 16, "split": split, "crop": crop})
    with caplog.at_level(logging.WARNING):
        build, published = normalise_pairs(raw.load(), params)
    assert "2 of 6 samples are in no split and left out: c/0, c/1" in caplog.text
    assert "test.txt: 1 of 3 names are no sample of the raw pairs: z/0" in caplog.text
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    dataset.save(build)
    manifest, _, audit, summary = describe_pairs(dataset.load(), published, params)
    expected = {"a/0": "train", "a/1": "train", "b/0": "test", "b/1": "test"}
    both_crops = expected | {f"{name}@1": split for name, split in expected.items()}
    assert dict(zip(manifest["sample_id"], manifest["split"], strict=True)) == both_crops
    for table in (manifest, audit):
        rules = table.groupby("split")["split_rule"].unique().map(list).to_dict()
        assert rules == {name: [rule] for name, rule in published.rules.items()}
    assert split_rules(manifest) == published.rules
    assert summary["split_rules"] == published.rules
    assert (summary["left_out"], summary["names_without_sample"]) == (2, {"train": 0, "test": 1})
    assert {name: n["samples"] for name, n in summary["splits"].items()} == {
        "train": 4,
        "validation": 0,
        "test": 4,
    }


def test_a_split_whose_samples_are_all_quarantined_is_an_error(tmp_path: Path) -> None:
    raw = FilenameListDataset(filepath=str(tmp_path / "raw" / "pairs.txt"))
    raw.save(make_pair(f"{scene}/0", 32) for scene in "abcdef")
    (tmp_path / "raw" / "f" / "0_albedo.exr").unlink()
    split = split_by(tmp_path, {"train": "a/0\nb/0\nc/0\nd/0\ne/0\n", "test": "f/0\n"})
    params = IngestParams.model_validate({"resolution": 16, "split": split.model_dump()})
    build, published = normalise_pairs(raw.load(), params)
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    dataset.save(build)
    with pytest.raises(ProjectError, match=r"^ingest\.split: all samples of test are quarantined"):
        describe_pairs(dataset.load(), published, params)


def test_a_manifest_without_rules_is_split_by_hash() -> None:
    manifest = pd.DataFrame({"split": ["train", "test", "train"]})
    assert split_rules(manifest) == dict.fromkeys(("train", "test"), "hash of the group")
