"""All pipelines as a user runs them, and single ones again from the data that these left."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file

from tests.support.evaluated_project import without_plots
from tests.support.project import copied, run_in_process


def test_all_results_are_written(finished_project: Path) -> None:
    data = finished_project / "data" / "test"
    for name in (
        "01_raw/rendered/pairs.txt",
        "03_primary/manifest.parquet",
        "03_primary/quarantine.parquet",
        "05_model_input/latent_statistics.json",
        "06_models/training_log.parquet",
        "03_primary/audit.parquet",
        "03_primary/audit_summary.json",
        "07_model_output/predictions/index.json",
        "05_model_input/camera_move/beauty/frame.0003.exr",
        "07_model_output/camera_move/move.webp",
        "08_reporting/data_plot.png",
        "08_reporting/sample_sheet.png",
        "08_reporting/per_sample.parquet",
        "08_reporting/risk_coverage.parquet",
        "08_reporting/loss_curve.png",
        "08_reporting/report.html",
    ):
        assert (data / name).stat().st_size > 0, name
    assert not list(data.rglob(".*.partial"))


def test_the_models_open_in_diffusers(finished_project: Path) -> None:
    models = finished_project / "data" / "test" / "06_models"
    autoencoder = AutoencoderKL.from_pretrained(models / "autoencoder")
    unet = UNet2DConditionModel.from_pretrained(models / "denoiser" / "unet")
    assert unet.config.in_channels == 2 * autoencoder.config.latent_channels


def test_metrics_are_the_means_of_the_samples(finished_project: Path) -> None:
    reporting = finished_project / "data" / "test" / "08_reporting"
    metrics = json.loads((reporting / "metrics.json").read_text())
    per_sample = pd.read_parquet(reporting / "per_sample.parquet")
    assert metrics["protocol"]["fingerprint"]
    methods = set(metrics["test"]) - {"n"}
    assert methods == {
        "model",
        "bundled",
        "beauty_as_albedo",
        "beauty_best_scale",
        "retinex_best_scale",
        "autoencoder_roundtrip",
    }
    assert metrics["test"]["n"] == per_sample["sample_id"].nunique()
    for method in methods:
        for name, value in metrics["test"][method].items():
            scores = per_sample.loc[per_sample["method"] == method, [name, "set"]]
            if name == "constancy":
                scores = scores.drop_duplicates("set")
            assert value["mean"] == pytest.approx(scores[name].mean())
            assert value["low"] <= value["mean"] <= value["high"]
    assert {"psnr_aligned", "ssim_unmasked", "lmse", "aurc"} < set(metrics["test"]["model"])
    lineage = json.loads((reporting.parent / "07_model_output/lineage.json").read_text())
    of_results = {name: metrics["lineage"][name] for name in ("predictions", "content")}
    assert lineage | of_results == metrics["lineage"]


def test_no_group_is_in_two_splits(finished_project: Path) -> None:
    manifest = pd.read_parquet(finished_project / "data" / "test" / "03_primary/manifest.parquet")
    assert manifest.groupby("group")["split"].nunique().max() == 1
    assert set(manifest["split"]) == {"train", "validation", "test"}


def test_the_rule_of_the_split_is_named(finished_project: Path) -> None:
    data = finished_project / "data" / "test"
    summary = json.loads((data / "03_primary" / "audit_summary.json").read_text())
    rule = "hash of the group"
    assert summary["split_rules"] == dict.fromkeys(("train", "validation", "test"), rule)
    assert (summary["left_out"], summary["names_without_sample"]) == (0, {})
    metrics = json.loads((data / "08_reporting" / "metrics.json").read_text())
    assert metrics["protocol"]["split_rules"] == {"test": rule}


def test_the_same_command_gives_the_same_weights_bit_for_bit(
    finished_project: Path, tmp_path: Path
) -> None:
    again = copied(finished_project, tmp_path)
    models = again / "data" / "test" / "06_models"
    shutil.rmtree(models)
    until = ("--pipelines", "__default__", "--to-nodes", "train.train_denoiser")
    result = run_in_process(again, *until)
    assert result.exit_code == 0, result.exception
    for name in ("autoencoder", "denoiser/unet"):
        file = f"06_models/{name}/diffusion_pytorch_model.safetensors"
        old = load_file(finished_project / "data" / "test" / file)
        new = load_file(again / "data" / "test" / file)
        assert all(bool((old[key] == new[key]).all()) for key in old), name


@pytest.mark.parametrize("name", ["encode", "evaluate", "report"])
def test_a_pipeline_runs_from_the_data_on_disk(
    finished_project: Path, tmp_path: Path, name: str
) -> None:
    with without_plots():  # `finished_project` has drawn them
        result = run_in_process(copied(finished_project, tmp_path), "--pipelines", name)
    assert result.exit_code == 0, result.exception


def test_the_report_is_one_small_file_without_requests(finished_project: Path) -> None:
    page = (finished_project / "data" / "test" / "08_reporting" / "report.html").read_text()
    assert len(page.encode()) < 15_000_000
    links = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", page)
    assert any(link.startswith("data:image/svg") for link in links)
    assert all(link.startswith(("data:", "#")) for link in links)


def test_the_run_ends_by_naming_the_report(finished_project: Path) -> None:
    lines = (finished_project / "run.log").read_text().strip().splitlines()
    assert lines[-1].endswith("data/test/08_reporting/report.html")
