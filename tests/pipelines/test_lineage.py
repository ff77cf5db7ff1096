"""Results of different runs are not mixed: the stage that reads both names the one to run again."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from albedo_pipeline.artifacts.tables import TableDataset
from albedo_pipeline.runtime.checksums import write_checksums
from tests.support.project import copied, error_of, run_in_process

DATA = Path("data/test")
REPORT = ("--pipelines", "report", "--nodes", "report.write_report")
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def project(finished_project: Path, tmp_path: Path) -> Path:
    return copied(finished_project, tmp_path)


def run(project: Path, pipelines: str, params: str) -> None:
    result = run_in_process(project, "--pipelines", pipelines, "--params", params)
    assert result.exit_code == 0, result.exception


def change(file: Path, edit: Callable[[dict], None]) -> None:
    content = json.loads(file.read_text())
    edit(content)
    file.write_text(json.dumps(content))


@pytest.mark.slow
def test_another_autoencoder_than_that_of_the_latents(
    project: Path, exported_project: Path
) -> None:
    run(project, "autoencoder", "autoencoder.training.seed=9")
    message = error_of(project, "--pipelines", "train")
    assert "05_model_input/latents: not made from the encoder at hand" in message
    assert message.endswith("run the pipeline encode again")
    message = error_of(project, *REPORT)
    assert "autoencoder_report: not made from the encoder" in message
    run(project, "encode", "encode.batch_size=4")
    start = f"train.start_from={exported_project / DATA / '06_models/export'}"
    message = error_of(
        project, "--pipelines", "train", "--params", f"{start},train.on_mismatch=restart"
    )
    assert "learned the latents of another autoencoder" in message


@pytest.mark.parametrize("pipeline", ["evaluate", "export"])
def test_another_decoder_than_that_of_the_training(project: Path, pipeline: str) -> None:
    file = project / DATA / "06_models/albedo_autoencoder" / WEIGHTS
    weights = load_file(file)
    torch.nn.init.ones_(weights["decoder.conv_out.bias"])
    save_file(weights, file, {"format": "pt"})
    write_checksums(file.parent)
    message = error_of(project, "--pipelines", pipeline)
    assert "denoiser: not made from the autoencoder at hand" in message
    assert message.endswith("run the pipeline train again")


@pytest.mark.slow
def test_pairs_that_are_newer_than_the_latents(project: Path) -> None:
    run(project, "ingest", "ingest.split.test=0.2")
    for arguments, expected in (
        (
            ("--pipelines", "train"),
            "latents: not made from the pairs at hand .* run the pipeline encode again",
        ),
        (
            ("--pipelines", "evaluate"),
            "denoiser: not made from the pairs at hand .* run the pipeline train again",
        ),
        (REPORT, "metrics: not made from the pairs at hand .* run the pipeline evaluate again"),
        (
            ("--pipelines", "export"),
            "audit_summary: not made from the pairs at hand .* ingest and evaluate again",
        ),
    ):
        message = error_of(project, *arguments)
        assert re.search(expected, message), message


@pytest.mark.parametrize("arguments", [REPORT, ("--pipelines", "export")])
def test_metrics_that_were_edited(project: Path, arguments: tuple[str, ...]) -> None:
    def better(metrics: dict) -> None:
        metrics["test"]["model"]["psnr"]["mean"] = 40.0

    change(project / DATA / "08_reporting/metrics.json", better)
    message = error_of(project, *arguments)
    assert "metrics: changed after the evaluation" in message


def test_predictions_of_another_denoiser_than_the_lineage(project: Path) -> None:
    file = project / DATA / "07_model_output/lineage.json"
    change(file, lambda lineage: lineage.update(denoiser="0"))
    message = error_of(project, "--pipelines", "evaluate", "--from-nodes", "evaluate.score")
    assert "predictions: not made from the lineage at hand" in message


@pytest.mark.parametrize("pipeline", ["evaluate", "export"])
def test_a_denoiser_of_an_earlier_version(project: Path, pipeline: str) -> None:
    (project / DATA / "06_models/denoiser/made_from.json").unlink()
    write_checksums(project / DATA / "06_models/denoiser")
    message = error_of(project, "--pipelines", pipeline)
    assert "denoiser: damaged, or from an earlier version" in message
    assert message.endswith("run the pipeline train again")


def test_settings_of_another_training(project: Path) -> None:
    file = project / DATA / "06_models/train_settings.json"
    change(file, lambda settings: settings.update(seed=99))
    assert "metrics: not made from the train_settings" in error_of(project, *REPORT)
    assert "denoiser: not made from the train_settings" in error_of(
        project, "--pipelines", "export"
    )


@pytest.mark.parametrize(
    "file",
    [
        "03_primary/audit",
        "03_primary/quarantine",
        "06_models/training_log",
        "08_reporting/per_sample",
        "08_reporting/risk_coverage",
    ],
)
def test_a_table_of_another_run(project: Path, file: str) -> None:
    dataset = TableDataset(filepath=str(project / DATA / f"{file}.parquet"), written_by="")
    table = dataset.load()
    table.attrs["made_from"] = dict.fromkeys(table.attrs["made_from"], "0")
    dataset.save(table)
    assert f"{Path(file).name}: not made from the" in error_of(project, *REPORT)


@pytest.mark.parametrize("pipeline", ["autoencoder", "encode", "train", "evaluate", "report"])
def test_a_manifest_that_was_edited(project: Path, pipeline: str) -> None:
    file = project / DATA / "03_primary/manifest.parquet"
    dataset = TableDataset(filepath=str(file), written_by="")
    table = dataset.load()
    table["row"] = table["row"].to_numpy()[::-1]
    dataset.save(table)
    arguments = REPORT if pipeline == "report" else ("--pipelines", pipeline)
    assert "manifest: changed after it was made" in error_of(project, *arguments)


@pytest.mark.parametrize(
    ("file", "arguments"),
    [
        ("03_primary/audit_summary", REPORT),
        ("03_primary/audit_summary", ("--pipelines", "export")),
        ("08_reporting/autoencoder_report", REPORT),
    ],
)
def test_a_summary_that_was_edited(project: Path, file: str, arguments: tuple[str, ...]) -> None:
    change(project / DATA / f"{file}.json", lambda content: content.update(samples=1000))
    message = error_of(project, *arguments)
    assert f"{Path(file).name}: changed after it was made" in message


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("metrics.json", "metrics: changed after the evaluation"),
        ("per_sample.parquet", "per_sample: not made from the predictions at hand"),
    ],
)
def test_a_run_to_compare_with_that_was_edited(project: Path, file: str, reason: str) -> None:
    other = project / "other"
    shutil.copytree(project / DATA / "08_reporting", other)
    if file == "metrics.json":
        change(other / file, lambda metrics: metrics["test"].update(n=1000))
    else:
        dataset = TableDataset(filepath=str(other / file), written_by="")
        table = dataset.load()
        table.attrs["made_from"]["predictions"] = "0"
        dataset.save(table)
    message = error_of(project, *REPORT, "--params", f"report.compare={other}")
    assert f"report.compare: {other / file}: not written by evaluate, or damaged" in message
    assert reason in message


def test_the_export_says_what_it_was_made_from(exported_project: Path) -> None:
    folder = exported_project / DATA
    made_from = json.loads((folder / "06_models/export/made_from.json").read_text())
    denoiser = json.loads((folder / "06_models/denoiser/made_from.json").read_text())
    metrics = json.loads((folder / "08_reporting/metrics.json").read_text())
    assert {"pairs", "latents", "encoder", "autoencoder", "train_settings"} == set(denoiser)
    scored = {name: metrics["lineage"][name] for name in ("denoiser", "predictions", "content")}
    assert made_from == denoiser | scored
