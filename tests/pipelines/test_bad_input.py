"""Mistakes of a user end a run with exit code 1 and one line, and leave nothing half-written."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from albedo_pipeline.provenance.lineage import with_table_digests
from tests.support.damage import no_file_over
from tests.support.project import copied, error_of, run_kedro


def test_the_process_ends_with_exit_code_1_and_one_line(project: Path) -> None:
    wrong = ("--pipelines", "train", "--params", "train.max_steps=0")
    result = run_kedro(project, "run", *wrong)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    *_, line = result.stderr.strip().splitlines()
    assert line.startswith("Error: train.max_steps: ")
    assert result.stderr.count("train.max_steps") == 1


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (
            "train.max_stepz=7",
            r"train\.max_stepz: no such key \(got 7\); known keys are run_name, seed,",
        ),
        (
            "train=5",
            r"Error: train: expected settings with the keys run_name, seed.*\(got 5\)$",
        ),
        ("train=[1]", r"Error: --params: train: expected settings, not a list$"),
        ("train.learning_rate=5", r"train\.learning_rate: expected settings .*peak.*\(got 5\)$"),
        ("train.optimiser.groups=[1]", r"optimiser\.groups\.0: expected settings with the keys"),
        ("evaluate.splits=[]", r"evaluate\.splits: .* at least 1 item .*\(got \[\]\)$"),
        ("train.max_steps=0", r"train\.max_steps: .* greater than or equal to 1 \(got 0\)"),
        ("train.learning_rate.peek=1", r"train\.learning_rate\.peek: no such key"),
        ("train.learning_rate.peak=fast", r"learning_rate\.peak: .*valid number.* \(got 'fast'\)"),
        ("train.micro_batch_size=3", r"train\.effective_batch_size \(4\) must be a multiple of"),
        ("train.mixture.latents=inf", r"train\.mixture\.latents: .*finite number \(got 'inf'\)$"),
        ("train.max_epochs=inf", r"train\.max_epochs: .*finite number \(got 'inf'\)$"),
        ("train.micro_batch_size=0", r"micro_batch_size: must be a whole number .*\(got 0\)$"),
        ("ingest.split.test=0.9", r"ingest\.split: validation \+ test must be less than 1"),
        ("trian.max_steps=4", r"parameters: no pipeline reads 'trian'; did you mean 'train'\?"),
        ("train.norm=1,train.max_steps=2", r"train\.norm: no such key"),
        ("train.noise_schedule.beta_end=1e-4", r"beta_start must be less than beta_end"),
        ("train.scratch.norm_num_groups=7", r"must be multiples of norm_num_groups \(7\)"),
        ("autoencoder.source=pretrained", r"source 'pretrained' needs the key 'pretrained'"),
    ],
)
def test_a_wrong_parameter_is_named(project: Path, setting: str, expected: str) -> None:
    pipeline = re.split(r"[.=]", setting)[0].replace("trian", "train")
    message = error_of(project, "--pipelines", pipeline, "--params", setting)
    assert re.search(expected, message), message
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


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        ("ingest", r"01_raw/rendered/pairs\.txt: no such file"),
        ("train", r"05_model_input/latents: no finished shards here"),
    ],
)
def test_missing_inputs_of_the_first_node_are_named(
    project: Path, pipeline: str, expected: str
) -> None:
    message = error_of(project, "--pipelines", pipeline)
    assert re.search(expected, message), message


@pytest.mark.parametrize(
    ("pipeline", "file", "expected"),
    [
        (
            "evaluate",
            "06_models/denoiser/unet",
            r"06_models/denoiser: damaged \(unet/.*: missing\)",
        ),
        (
            "report",
            "06_models/training_log.parquet",
            r"Error: \S+log\.parquet: no such file; check the path",
        ),
        (
            "report",
            "08_reporting/metrics.json",
            r"Error: \S+metrics\.json: no such file; check the path",
        ),
    ],
)
def test_a_missing_result_of_an_earlier_pipeline_is_named(
    finished_project: Path, tmp_path: Path, pipeline: str, file: str, expected: str
) -> None:
    project = copied(finished_project, tmp_path)
    path = project / "data" / "test" / file
    path.rename(path.with_name("moved"))
    message = error_of(project, "--pipelines", pipeline)
    assert re.search(expected, message), message


def test_too_many_bad_pairs_leave_the_shards_as_they_were(
    finished_project: Path, tmp_path: Path
) -> None:
    data = copied(finished_project, tmp_path) / "data" / "test"
    before = {path: path.read_bytes() for path in (data / "03_primary").rglob("*.arrow")}
    for albedo in (data / "01_raw").rglob("*_albedo.exr"):
        albedo.unlink()
    message = error_of(tmp_path / "project", "--pipelines", "ingest")
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
def test_a_mistake_in_the_catalog_is_named(project: Path, entry: str, expected: str) -> None:
    (project / "conf" / "test" / "catalog.yml").write_text(entry, encoding="utf-8")
    message = error_of(project, "--pipelines", "ingest")
    assert re.search(expected, message), message


def test_pairs_and_manifest_of_different_runs(finished_project: Path, tmp_path: Path) -> None:
    project = copied(finished_project, tmp_path)
    manifest = project / "data" / "test" / "03_primary" / "manifest.parquet"
    with_table_digests(pd.read_parquet(manifest)[::-1], {}).to_parquet(manifest)
    message = error_of(project, "--pipelines", "encode")
    assert message.endswith("03_primary/pairs: not the pairs of the manifest; run ingest again")


def test_a_damaged_table_is_named(finished_project: Path, tmp_path: Path) -> None:
    project = copied(finished_project, tmp_path)
    manifest = project / "data" / "test" / "03_primary" / "manifest.parquet"
    manifest.write_bytes(manifest.read_bytes()[:200])
    assert "manifest" in error_of(project, "--pipelines", "encode")


def test_a_settings_file_that_is_not_yaml_is_named(project: Path) -> None:
    file = project / "conf" / "test" / "parameters_train.yml"
    file.write_text("train: [", encoding="utf-8")
    message = error_of(project, "--pipelines", "train")
    assert re.search(r"conf/test/parameters_train\.yml", message)


def test_a_file_in_the_place_of_a_folder_is_named(finished_project: Path, tmp_path: Path) -> None:
    project = copied(finished_project, tmp_path)
    checkpoints = project / "data/test/06_models/checkpoints"
    shutil.rmtree(checkpoints)
    checkpoints.write_text("mine", encoding="utf-8")
    assert error_of(project, "--pipelines", "train") == f"Error: {checkpoints}: File exists"


@pytest.mark.parametrize(
    ("pipeline", "model"),
    [("autoencoder", "autoencoder"), ("train", "denoiser/unet"), ("export", "denoiser/unet")],
)
def test_a_full_disk_is_one_line_and_leaves_the_models(
    finished_project: Path, tmp_path: Path, pipeline: str, model: str
) -> None:
    models = copied(finished_project, tmp_path) / "data" / "test" / "06_models"
    size = (models / model / "diffusion_pytorch_model.safetensors").stat().st_size
    finished = [
        path for name in ("autoencoder", "denoiser") for path in (models / name).rglob("*.*")
    ]
    before = {path: path.read_bytes() for path in finished}
    changes = "autoencoder.training.seed=9,train.seed=9,train.on_mismatch=restart"
    with no_file_over(size - 1000):
        message = error_of(tmp_path / "project", "--pipelines", pipeline, "--params", changes)
    assert re.search(r"06_models/\S+: not written \(.*file too large", message, re.I), message
    assert {path: path.read_bytes() for path in finished} == before
    assert not list(models.rglob(".*.partial"))
