"""Results are refused if they were made from something else than what is at hand."""

import json

import pandas as pd
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.provenance.lineage import (
    check_denoiser,
    check_made_from,
    check_metrics,
    check_predictions,
    content_digest,
    manifest_digest,
    with_content_digest,
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
