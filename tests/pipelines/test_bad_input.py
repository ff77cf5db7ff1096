"""What a user gets wrong: one line that names it, a non-zero exit, nothing half-written."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.support.project import run_kedro


def error_of(project: Path, *arguments: str) -> str:
    """The error line of a run that must fail."""
    result = run_kedro(project, "run", *arguments)
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr[result.stderr.rindex("Error: ") :].strip()


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (
            "train.max_stepz=7",
            r"train\.max_stepz: no such key \(got 7\); known keys are seed, source,",
        ),
        ("train.max_steps=0", r"train\.max_steps: .* greater than or equal to 1 \(got 0\)"),
        ("train.learning_rate.peek=1", r"train\.learning_rate\.peek: no such key"),
        ("train.learning_rate.peak=fast", r"learning_rate\.peak: .*valid number.* \(got 'fast'\)"),
        ("train.micro_batch_size=3", r"train\.effective_batch_size \(4\) must be a multiple of"),
        ("ingest.split.test=0.9", r"ingest\.split: validation \+ test must be less than 1"),
        ("trian.max_steps=4", r"parameters: no pipeline reads 'trian'; did you mean 'train'\?"),
        ("train.norm=1,train.max_steps=2", r"train\.norm: no such key"),
        ("train.noise_schedule.beta_end=1e-4", r"beta_start must be less than beta_end"),
        ("train.scratch.norm_num_groups=7", r"must be multiples of norm_num_groups \(7\)"),
        ("autoencoder.source=pretrained", r"source 'pretrained' needs the key 'pretrained'"),
    ],
)
def test_a_wrong_parameter_is_named(project: Path, setting: str, expected: str) -> None:
    pipeline = setting.partition(".")[0].replace("trian", "train")
    message = error_of(project, "--pipelines", pipeline, "--params", setting)
    assert re.search(expected, message), message
    assert "\n" not in message
    assert not (project / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--pipeline", "trian"), r"pipeline named 'trian'.*train$"),
        (("--pipelines", "train", "--nodes", "nope"), r"nodes named \['nope'\]"),
        (("--env", "nope"), r"conf/nope$"),
    ],
)
def test_a_name_that_kedro_does_not_know(project: Path, arguments, expected: str) -> None:
    message = error_of(project, *arguments)
    assert re.search(expected, message), message
    assert "\n" not in message


def test_a_missing_raw_folder_is_named(project: Path) -> None:
    message = error_of(project, "--pipelines", "ingest")
    assert re.search(r"01_raw/rendered/pairs\.txt: no such file", message)
    assert "\n" not in message


def test_train_before_encode(project: Path) -> None:
    message = error_of(project, "--pipelines", "train")
    assert re.search(r"05_model_input/latents: no finished shards here", message)
    assert "\n" not in message


def test_evaluate_before_train(finished_project: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(finished_project, project)
    shutil.rmtree(project / "data" / "test" / "06_models" / "denoiser")
    message = error_of(project, "--pipelines", "evaluate")
    assert re.search(r"06_models/denoiser/unet: no model here", message)


@pytest.mark.parametrize("file", ["06_models/training_log.parquet", "08_reporting/metrics.json"])
def test_a_missing_result_is_named(finished_project: Path, tmp_path: Path, file: str) -> None:
    project = tmp_path / "project"
    shutil.copytree(finished_project, project)
    (project / "data" / "test" / file).unlink()
    message = error_of(project, "--pipelines", "report")
    assert re.fullmatch(rf"Error: \S+{file}: no such file; check the path, or .*", message), message


def test_too_many_bad_pairs_leave_the_old_ones(finished_project: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(finished_project, project)
    data = project / "data" / "test"
    before = {path: path.read_bytes() for path in (data / "03_primary").rglob("*.arrow")}
    for albedo in (data / "01_raw").rglob("*_albedo.exr"):
        albedo.unlink()
    message = error_of(project, "--pipelines", "ingest")
    assert re.search(r"11 of 20 samples are unusable already.*11 x no such file", message)
    after = {path: path.read_bytes() for path in (data / "03_primary").rglob("*.arrow")}
    assert after == before
    assert not list(data.rglob(".*.partial"))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            "raw_pars: {type: json.JSONDataset, filepath: x.json}",
            r"uses 'raw_pars'; did",
        ),
        (
            "raw_pairs:\n"
            "  type: albedo_pipeline.readers.filename_list.FilenameListDataset\n"
            "  filepath: x.txt\n"
            "  color_space: srgb",
            r"color_space.*raw_pairs",
        ),
        ("raw_pairs: x.txt", r"entry 'raw_pairs' is not a valid"),
    ],
)
def test_a_slip_in_the_catalog_is_named(project: Path, entry: str, expected: str) -> None:
    (project / "conf" / "test" / "catalog.yml").write_text(entry, encoding="utf-8")
    message = error_of(project, "--pipelines", "ingest")
    assert re.search(expected, message), message
    assert "\n" not in message


def test_pairs_and_manifest_of_different_runs(finished_project: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(finished_project, project)
    manifest = project / "data" / "test" / "03_primary" / "manifest.parquet"
    pd.read_parquet(manifest)[::-1].to_parquet(manifest)
    message = error_of(project, "--pipelines", "encode")
    assert message.endswith("03_primary/pairs: not the pairs of the manifest; run ingest again")


def test_a_damaged_table_is_named(finished_project: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(finished_project, project)
    manifest = project / "data" / "test" / "03_primary" / "manifest.parquet"
    manifest.write_bytes(manifest.read_bytes()[:200])
    assert "manifest" in error_of(project, "--pipelines", "encode")


def test_a_settings_file_that_is_no_yaml_is_named(project: Path) -> None:
    file = project / "conf" / "test" / "parameters_train.yml"
    file.write_text("train: [", encoding="utf-8")
    message = error_of(project, "--pipelines", "train")
    assert re.search(r"conf/test/parameters_train\.yml", message)
    assert "\n" not in message
