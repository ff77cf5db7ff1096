"""Results are refused if they were made from something else than what is at hand."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from albedo_pipeline.artifacts.tables import TableDataset
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.provenance.lineage import (
    PAIR_COLUMNS,
    check_content,
    check_denoiser,
    check_made_from,
    check_metrics,
    check_predictions,
    check_table,
    content_digest,
    manifest_digest,
    pairs_digest,
    with_content,
    with_content_digest,
    with_table_digests,
    without_content,
)

METRICS = with_content_digest(
    {
        "protocol": {"steps": 2, "size": (8, 8)},
        "lineage": {"denoiser": "1", "predictions": "2"},
        "test": {"n": 3, "model": {"psnr": {"mean": 0.1 + 0.2, "low": None}}},
    }
)


def test_what_was_made_from_what_is_at_hand_passes() -> None:
    check_made_from("latents", {"pairs": "1", "encoder": "2"}, {"pairs": "1"}, "encode")


def test_what_was_made_from_something_else_is_refused() -> None:
    message = r"^latents: not made from the pairs at hand \(1 there, 2 here\); run encode again"
    with pytest.raises(ProjectError, match=message):
        check_made_from("latents", {"pairs": "1"}, {"pairs": "2"}, "encode")


@pytest.mark.parametrize("made_from", [{}, None, "damaged", {"encoder": "2"}])
def test_what_does_not_say_from_what_it_was_made_is_refused(made_from: object) -> None:
    message = "^latents: damaged, or from an earlier version: .* which pairs .*; run encode again"
    with pytest.raises(ProjectError, match=message):
        check_made_from("latents", made_from, {"pairs": "2"}, "encode")


def test_a_denoiser_of_other_projects_latents_fits_any_pairs() -> None:
    at_hand = {"autoencoder": "1", "pairs": "2", "latents": "3"}
    check_denoiser({"autoencoder": "1"}, at_hand)
    check_denoiser(at_hand, at_hand)
    for part in at_hand:
        with pytest.raises(
            ProjectError, match=f"denoiser: not made from the {part} .* train again"
        ):
            check_denoiser(at_hand | {part: "0"}, at_hand)
    with pytest.raises(ProjectError, match="denoiser: damaged, or from an earlier version"):
        check_denoiser({}, at_hand)


def test_metrics_pass_after_a_trip_through_json() -> None:
    check_metrics(json.loads(json.dumps(METRICS)), {"denoiser": "1"})


@pytest.mark.parametrize(
    "change",
    [
        {"test": {"n": 3, "model": {"psnr": {"mean": 40.0, "low": None}}}},
        {"protocol": {"steps": 1, "size": (8, 8)}},
        {"validation": {}},
        {"lineage": METRICS["lineage"] | {"predictions": "0"}},
    ],
)
def test_metrics_that_were_changed_are_refused(change: dict) -> None:
    with pytest.raises(ProjectError, match="metrics: changed after the evaluation, or from"):
        check_metrics(METRICS | change, {})


@pytest.mark.parametrize("metrics", [{}, {"lineage": {"denoiser": "1"}}, {"lineage": None}])
def test_metrics_of_an_earlier_version_are_refused(metrics: dict) -> None:
    with pytest.raises(ProjectError, match=r"from an earlier version.*; run the pipeline evaluate"):
        check_metrics(metrics, {"denoiser": "1"})


@pytest.mark.parametrize("metrics", [[], None, 3])
def test_metrics_that_are_no_object_are_refused(metrics: object) -> None:
    message = "^metrics: damaged, no JSON object; run the pipeline evaluate again"
    with pytest.raises(ProjectError, match=message):
        check_metrics(metrics, {})


def test_numbers_of_other_predictions_are_refused() -> None:
    check_predictions(METRICS, "2")
    with pytest.raises(ProjectError, match="metrics: not made from the predictions at hand"):
        check_predictions(METRICS, "3")


def test_the_digest_of_the_pairs_covers_samples_and_splits_in_any_order() -> None:
    columns = {"sample_id": ["a", "b"], "digest": ["1", "2"], "group": ["g", "g"]}
    manifest = pd.DataFrame(columns | {"split": ["train", "test"], "row": [0, 1]})
    digest = manifest_digest(manifest)
    assert manifest_digest(manifest.iloc[::-1]) == digest
    assert manifest_digest(manifest.assign(split="train")) != digest
    assert manifest_digest(manifest.assign(digest=["1", "3"])) != digest
    assert manifest_digest(manifest.iloc[:1]) != digest
    assert content_digest({"a": (1, 2.5), "b": None}) == content_digest({"b": None, "a": [1, 2.5]})


@pytest.mark.parametrize("at_a_time", [1, 3, 7, 100])
def test_digests_of_many_rows_are_those_of_their_json(
    at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("albedo_pipeline.provenance.lineage._AT_A_TIME", at_a_time)
    names = ["b", "a\u20ac", "a\U0001f600", "a", "A", "\u00e9", ""]
    columns = {name: names[place:] + names[:place] for place, name in enumerate(PAIR_COLUMNS)}
    manifest = pd.DataFrame({**columns, "x": [0.5, math.nan, math.inf, 1, 2, 3, 4], "n": range(7)})
    expected = content_digest(sorted(zip(*columns.values(), strict=True)))
    assert manifest_digest(manifest) == pairs_digest(columns.values()) == expected
    content = [[name, values.tolist()] for name, values in manifest.items()]
    assert with_table_digests(manifest, {}).attrs["content"] == content_digest(content)
    assert with_table_digests(manifest[:0], {}).attrs["content"] == content_digest(
        [[name, []] for name in manifest]
    )


TABLE = with_table_digests(
    pd.DataFrame(
        {
            "sample_id": pd.Series(["a", "b"], dtype="str"),
            "psnr": [0.1 + 0.2, np.nan],
            "share": np.array([0.1, np.inf], dtype=np.float32),
            "width": pd.array([8, None], dtype="Int64"),
            "leak": [True, False],
        }
    ),
    {"pairs": "1", "encoder": "2"},
)


def stored(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    dataset = TableDataset(filepath=str(folder / "table.parquet"), written_by="evaluate")
    dataset.save(table)
    return dataset.load()


def test_a_table_passes_after_a_trip_through_parquet(tmp_path: Path) -> None:
    check_table("audit", stored(TABLE, tmp_path), {"pairs": "1"}, "ingest")
    empty = with_table_digests(TABLE[:0], {"pairs": "1"})
    check_table("audit", stored(empty, tmp_path), {"pairs": "1"}, "ingest")


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    message = r"^audit: not made from the pairs at hand \(1 there, 3 here\); run ingest again"
    with pytest.raises(ProjectError, match=message):
        check_table("audit", stored(TABLE, tmp_path), {"pairs": "3"}, "ingest")


@pytest.mark.parametrize(
    ("column", "value"),
    [("psnr", np.nan), ("psnr", 0.3), ("share", np.nan), ("width", 9), ("leak", False)],
)
def test_a_table_that_was_changed_is_refused(tmp_path: Path, column: str, value: object) -> None:
    table = stored(TABLE, tmp_path)
    table.loc[0, column] = value
    with pytest.raises(ProjectError, match=r"^audit: changed after it was made; run ingest again"):
        check_table("audit", stored(table, tmp_path), {}, "ingest")


def test_a_table_of_an_earlier_version_is_not_checked() -> None:
    check_table("audit", pd.DataFrame({"psnr": [1.0]}), {"pairs": "1"}, "ingest")


def test_a_result_in_json_that_was_changed_is_refused() -> None:
    result = {"psnr": 0.1 + 0.2, "sizes": (8, 8), "none": None}
    made = json.loads(json.dumps(with_content(result)))
    check_content("report", made, "ingest")
    assert without_content(made) == {"psnr": 0.1 + 0.2, "sizes": [8, 8], "none": None}
    with pytest.raises(ProjectError, match=r"^report: changed after it was made; run ingest again"):
        check_content("report", made | {"psnr": 40.0}, "ingest")
    check_content("report", without_content(made), "ingest")  # of an earlier version
