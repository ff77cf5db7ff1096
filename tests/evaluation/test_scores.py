"""The table of scores and its summary, from shards with known content."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
import torch

from albedo_pipeline.evaluation.baselines import baselines
from albedo_pipeline.evaluation.protocols import protocol
from albedo_pipeline.evaluation.scores import score_table
from albedo_pipeline.evaluation.summary import describe, headline, summarise
from albedo_pipeline.imaging.colour import decode_srgb
from albedo_pipeline.imaging.pixels import dequantize, quantize
from albedo_pipeline.metrics.base import MARIGOLD_IID, OURS
from albedo_pipeline.metrics.image.delta_e import DELTA_E
from albedo_pipeline.metrics.image.psnr import PSNR
from albedo_pipeline.metrics.image.rmse import RMSE
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.params.evaluate import BootstrapParams
from albedo_pipeline.shards.datasets import PairShardsDataset, PredictionShardsDataset
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PredictionShards
from benchmarks.row_build import save_rows

SIDE = 16
METHODS = baselines(0.3, 0.05)
NAMES = ["one/lit", "one/relit", "two", "three"]
GROUPS = ["one", "one", "two", "three"]


def images(seed: int) -> np.ndarray:
    return quantize(np.random.default_rng(seed).random((3, SIDE, SIDE), np.float32))


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> tuple[PairShards, PredictionShards, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("scores")
    valid = np.ones((1, SIDE, SIDE), np.uint8)
    valid[:, :4] = 0
    truths = [images(0), images(0), images(2), images(3)]  # the first two show the same surfaces
    save_rows(
        PairShardsDataset(filepath=str(folder / "pairs")),
        [
            {
                "sample_id": name,
                "group": group,
                "beauty": images(10 + place),
                "albedo": truth,
                "valid": valid,
            }
            for place, (name, group, truth) in enumerate(zip(NAMES, GROUPS, truths, strict=True))
        ],
    )
    # In another order than the pairs; the predictions differ from the truth by a known amount.
    order = [2, 1, 0]
    save_rows(
        PredictionShardsDataset(filepath=str(folder / "predictions")),
        [
            {
                "sample_id": NAMES[place],
                "group": GROUPS[place],
                "split": "test",
                "prediction": quantize(dequantize(truths[place]) * 0.5 + 0.1 * place),
                "roundtrip": truths[place],
                "uncertainty": images(20 + place)[:1],
            }
            for place in order
        ],
    )
    manifest = pd.DataFrame({"sample_id": NAMES, "row": range(4), "split": "test", "digest": "d"})
    return PairShards(folder / "pairs"), PredictionShards(folder / "predictions"), manifest


@pytest.fixture(scope="module")
def scored(data) -> tuple[pd.DataFrame, pd.DataFrame]:
    pairs, predictions, manifest = data
    return score_table(predictions, pairs, manifest, protocol(OURS, None), METHODS)


def test_rows_are_samples_times_methods_in_the_order_of_the_predictions(scored) -> None:
    table, _ = scored
    assert table["sample_id"].drop_duplicates().tolist() == ["two", "one/relit", "one/lit"]
    assert table.groupby("sample_id")["method"].nunique().eq(5).all()


def tensors(stored: np.ndarray, linear: bool = False) -> torch.Tensor:
    image = dequantize(stored)
    return torch.from_numpy(decode_srgb(image) if linear else image)[None]


@pytest.mark.parametrize("masked", [True, False])
def test_a_measure_is_the_metric_in_its_colour_space(data, scored, masked: bool) -> None:
    pairs, predictions, _ = data
    row = scored[0].set_index(["sample_id", "method"]).loc[("two", "model")]
    valid = torch.from_numpy(pairs.tensor("valid", 2) == 1)[None]
    mask = valid if masked else torch.ones_like(valid)
    suffix = "" if masked else "_unmasked"
    for metric in (PSNR, DELTA_E, RMSE):
        linear = metric.colour_space == "linear"
        both = (predictions.tensor("prediction", 0), pairs.tensor("albedo", 2))
        expected = metric.function(*(tensors(stored, linear) for stored in both), mask)
        assert row[metric.name + suffix] == pytest.approx(float(expected), rel=1e-6)


def test_alignment_removes_one_linear_scale(data, scored) -> None:
    pairs, predictions, _ = data
    row = scored[0].set_index(["sample_id", "method"]).loc[("two", "model")]
    valid = pairs.tensor("valid", 2)[0] == 1
    estimate, truth = (
        decode_srgb(dequantize(stored))[:, valid]
        for stored in (predictions.tensor("prediction", 0), pairs.tensor("albedo", 2))
    )
    scale = (estimate * truth).sum() / (estimate**2).sum()
    error = np.sqrt(np.mean((np.clip(scale * estimate, 0, 1) - truth) ** 2))
    assert row["rmse_aligned"] == pytest.approx(error, rel=1e-5)


def test_a_perfect_round_trip_has_perfect_scores(scored) -> None:
    rows = scored[0][scored[0]["method"] == "autoencoder_roundtrip"]
    assert np.isinf(rows["psnr"]).all()
    assert (rows["delta_e"] == 0).all()
    assert (rows["constancy"].dropna() == 0).all()


def test_constancy_of_two_lights(scored) -> None:
    rows = scored[0].set_index(["sample_id", "method"]).xs("model", level="method")
    # The predictions under two lights differ by 0.1 at every pixel.
    assert rows.loc["one/lit", "constancy"] == pytest.approx(0.1 / np.sqrt(2), abs=1e-4)
    assert rows.loc["one/relit", "constancy"] == rows.loc["one/lit", "constancy"]
    assert np.isnan(rows.loc["two", "constancy"])
    assert rows["set"].to_dict() == {"two": "", "one/relit": "one/relit", "one/lit": "one/relit"}


def test_only_the_model_has_areas_under_its_risk_curve(scored) -> None:
    table, curves = scored
    with_areas = table.dropna(subset="aurc")
    assert with_areas["method"].unique().tolist() == ["model"]
    assert (with_areas["aurc"] >= with_areas["aurc_oracle"]).all()
    assert curves["n"].unique().tolist() == [3]
    assert curves["risk"].iloc[-1] == pytest.approx(curves["random"].iloc[-1])


def test_the_summary_counts_a_set_once(scored) -> None:
    estimators = scored[0][scored[0]["method"] != "autoencoder_roundtrip"]
    summary = summarise(estimators, BootstrapParams())["test"]
    assert summary["n"] == 3
    assert summary["model"]["constancy"]["n"] == 1
    assert summary["model"]["psnr"]["n"] == 3
    assert "aurc" not in summary["beauty_as_albedo"]
    mean = scored[0].loc[scored[0]["method"] == "model", "ssim"].mean()
    assert summary["model"]["ssim"]["mean"] == pytest.approx(mean)


def test_infinite_measures_are_null_in_the_summary(scored) -> None:
    ceiling = summarise(scored[0], BootstrapParams())["test"]["autoencoder_roundtrip"]
    assert ceiling["psnr"] == {"mean": None, "low": None, "high": None, "n": 3, "groups": 2}
    assert ceiling["constancy"]["low"] is None  # there is only one set
    json.dumps(ceiling, allow_nan=False)


def test_the_headline_holds_the_models_means_without_alignment(scored) -> None:
    estimators = scored[0][scored[0]["method"] != "autoencoder_roundtrip"]
    summary = summarise(estimators, BootstrapParams())
    means = headline({"protocol": {}, "lineage": {}} | summary)
    assert list(means) == ["test"]
    assert means["test"]["psnr"] == summary["test"]["model"]["psnr"]["mean"]
    assert not any("aligned" in name or "unmasked" in name for name in means["test"])


def fingerprint(data, name: str = OURS, **settings) -> str:
    _, predictions, manifest = data
    params = EvaluateParams(protocol=name, **settings)
    return describe(protocol(name, None), predictions, manifest, params)["fingerprint"]


def test_protocol_and_settings_change_the_fingerprint(data) -> None:
    prints = {fingerprint(data, name, steps=n) for name in (OURS, MARIGOLD_IID) for n in (1, 2)}
    assert len(prints) == 4


def test_settings_without_influence_keep_the_fingerprint(data) -> None:
    assert fingerprint(data) == fingerprint(data, batch_size=3, device="cpu")
    assert fingerprint(data) == fingerprint(
        data, reduction="median"
    )  # has no effect with one member
    three = {"members": 3}
    several = {fingerprint(data, ensemble=three, reduction=name) for name in ("mean", "median")}
    several.add(fingerprint(data, ensemble={"kind": "augmentation", "members": 3}))
    assert len(several) == 3
    # The kind has no effect with one member either.
    assert fingerprint(data) == fingerprint(data, ensemble={"kind": "augmentation"})


def test_the_size_of_the_prediction_is_in_the_fingerprint_if_it_is_set(data) -> None:
    assert "processing" not in described(data, data[2], resampling="marigold")
    assert fingerprint(data) == fingerprint(data, resampling="marigold")
    chosen = described(data, data[2], resolution=640, resampling="marigold")
    assert chosen["processing"]["longer_side"] == 640
    prints = {fingerprint(data, resolution=640, resampling=r) for r in ("predict", "marigold")}
    assert len(prints | {fingerprint(data)}) == 3


def test_another_truth_changes_the_fingerprint(data) -> None:
    pairs, predictions, manifest = data
    changed = manifest.assign(digest=["d", "d", "changed", "d"])
    assert fingerprint(data) != fingerprint((pairs, predictions, changed))
    unused = manifest.assign(digest=["d", "d", "d", "changed"])  # a sample without a prediction
    assert fingerprint(data) == fingerprint((pairs, predictions, unused))


def test_marigolds_measures_have_their_own_names(data) -> None:
    pairs, predictions, manifest = data
    table, _ = score_table(predictions, pairs, manifest, protocol(MARIGOLD_IID, None), METHODS)
    measured = {"marigold_psnr", "marigold_ssim"}
    assert measured | {f"{name}_unmasked" for name in measured} < set(table)
    assert "psnr" not in table


def described(data, manifest, **settings) -> dict:
    params = EvaluateParams(**settings)
    return describe(protocol(OURS, None), data[1], manifest, params)


def test_the_protocol_names_the_rule_of_the_split(data) -> None:
    """The split by hash is outside the fingerprint, so that earlier numbers can be compared."""
    by_hash, rule = data[2], "list test.txt, by sample, digest 0123456789ab"
    by_list = by_hash.assign(split_rule=rule)
    assert described(data, by_hash)["split_rules"] == {"test": "hash of the group"}
    assert described(data, by_list)["split_rules"] == {"test": rule}
    prints = [
        described(data, manifest)["fingerprint"]
        for manifest in (by_hash, by_list, by_hash.assign(split_rule="column split of the table"))
    ]
    assert len(set(prints)) == 3
    digested = {
        name: value
        for name, value in described(data, by_hash).items()
        if name not in ("split_rules", "fingerprint")
    }
    text = json.dumps(digested, sort_keys=True)
    assert prints[0] == hashlib.sha256(text.encode()).hexdigest()[:12]
