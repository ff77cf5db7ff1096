"""`compare` and `report` as a user runs them, with every type of estimator."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from albedo_pipeline.evaluation.estimators import diffusers_pipeline
from albedo_pipeline.evaluation.estimators.base import Context
from albedo_pipeline.imaging.pixels import dequantize
from albedo_pipeline.metrics.registry import quantities
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PREDICTION_OF, PredictionShards
from tests.support.evaluated_project import without_plots
from tests.support.project import copied, error_of, run_in_process

DATA = Path("data/test")
SETTINGS = {
    "bootstrap": {"resamples": 200},
    "gallery": 3,
    "estimators": {
        "last": {"type": "checkpoint", "checkpoint": "last", "steps": 2},
        "step 4": {"type": "checkpoint", "checkpoint": 4, "steps": 2},
        "best": {"type": "checkpoint", "checkpoint": "best", "steps": 2},
        "export": {
            "type": "diffusers_pipeline",
            "model": str(DATA / "06_models/export"),
            "resolution": 0,
        },
        "files": {"type": "predictions", "folder": "truth", "colour_space": "srgb"},
        "retinex": {"type": "retinex"},
        "input": {"type": "beauty", "scale": "best"},
        "grey": {"type": "constant", "value": 0.25},
    },
}


@pytest.fixture(scope="module")
def compared(exported_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which `compare` and `report` have run; do not write to it."""
    project = copied(exported_project, tmp_path_factory.mktemp("compared"))
    write_settings(project, SETTINGS)
    pairs = PairShards(project / DATA / "03_primary/pairs")
    for row, name in enumerate(pairs.scalars["sample_id"].to_pylist()):
        file = project / "truth" / f"{name}_albedo.npy"
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, dequantize(pairs.tensor("albedo", row)).transpose(1, 2, 0))
    with without_plots():
        result = run_in_process(project, "--pipelines", "compare,report")
    assert result.exit_code == 0, result.exception
    return project


def write_settings(project: Path, settings: dict) -> None:
    file = project / "conf/test/parameters_compare.yml"
    file.write_text(yaml.safe_dump({"compare": settings}, sort_keys=False), encoding="utf-8")


def results(project: Path) -> dict:
    return json.loads((project / DATA / "08_reporting/comparison/results.json").read_text())


@pytest.mark.slow
def test_a_model_and_its_export_agree_to_rounding(compared: Path) -> None:
    stored = PredictionShards(compared / DATA / "07_model_output/comparison")
    for row in range(len(stored)):
        ours, theirs = (
            stored.tensor(PREDICTION_OF + name, row).astype(int) for name in ("last", "export")
        )
        assert np.abs(ours - theirs).max() <= 1  # of 65535
    difference = results(compared)["differences"]["test"]["export"]["psnr"]
    assert abs(difference["mean"]) < 1e-3


def test_checkpoints_differ_and_the_best_is_one_of_them(compared: Path) -> None:
    found = results(compared)
    scores = found["scores"]["test"]
    assert scores["last"]["psnr"]["mean"] != scores["step 4"]["psnr"]["mean"]
    names = {name: found["estimators"][name]["about"]["model"] for name in ("last", "step 4")}
    assert names == {"last": "checkpoint step-00000006", "step 4": "checkpoint step-00000004"}
    assert scores["best"]["psnr"]["mean"] in [
        scores[name]["psnr"]["mean"] for name in ("last", "step 4")
    ]


def test_files_that_are_the_truth_are_perfect(compared: Path) -> None:
    score = results(compared)["scores"]["test"]["files"]
    assert score["rmse"]["mean"] < 1e-6
    assert score["ssim"]["mean"] == pytest.approx(1, abs=1e-6)


def test_the_reference_is_the_first_and_the_others_have_paired_differences(compared: Path) -> None:
    found = results(compared)
    assert found["reference"] == "last"
    assert set(found["differences"]["test"]) == set(SETTINGS["estimators"]) - {"last"}
    table = pd.read_parquet(compared / DATA / "08_reporting/comparison/per_sample.parquet")
    psnr = table.pivot(index="sample_id", columns="method", values="psnr")
    expected = float((psnr["grey"] - psnr["last"]).mean())
    difference = found["differences"]["test"]["grey"]["psnr"]
    assert difference["mean"] == pytest.approx(expected, rel=1e-9)
    assert difference["n"] == found["scores"]["test"]["n"]


def test_settings_are_shown_as_each_estimator_keeps_them(compared: Path) -> None:
    about = {name: e["about"] for name, e in results(compared)["estimators"].items()}
    assert about["last"]["steps"] == about["export"]["steps"] == 2
    assert about["export"]["sampler"].startswith("MarigoldIntrinsicsPipeline, diffusers ")
    assert about["grey"] == {"model": "grey card", "value": 0.25}


def test_the_tables_are_parquet_and_latex(compared: Path) -> None:
    folder = compared / DATA / "08_reporting/comparison"
    table = pd.read_parquet(folder / "table.parquet").set_index(["estimator", "measure"])
    expected = results(compared)["scores"]["test"]["grey"]["ssim"]["mean"]
    assert table.loc[("grey", "ssim"), "mean"] == expected
    latex = (folder / "table.tex").read_text()
    assert latex.count(r"\begin{tabular}{l") == latex.count(r"\end{tabular}") == 1
    rows = [line for line in latex.splitlines() if line.endswith(r"\\")]
    assert len({line.count(" & ") for line in rows}) == 1
    assert len(rows) == 1 + 2 * len(SETTINGS["estimators"]) - 1
    assert "step 4 & " in latex
    assert r"$\uparrow$" in latex


def test_the_report_shows_table_gallery_and_published_numbers_apart(compared: Path) -> None:
    page = (compared / DATA / "08_reporting/report.html").read_text()
    section = page[page.index('<section id="estimators">') :]
    section = section[: section.index("</section>")]
    assert section.count("<img ") == 3 * (2 + len(SETTINGS["estimators"]))
    assert "MarigoldIntrinsicsPipeline" in section
    apart = section[section.index("Published numbers that cannot be compared") :]
    assert re.search(r"Marigold V2.*?PSNR.*?20\.78.*?protocol: that of Marigold V2", apart, re.S)
    assert "20.78" not in section[: -len(apart)]
    assert set(quantities()) >= {"psnr", "ssim", "edge_error"}


def test_the_digests_of_a_pipeline_cover_its_scheduler(compared: Path, tmp_path: Path) -> None:
    def digests(folder: Path) -> dict[str, str]:
        context = Context(None, None, torch.device("cpu"), "fp32")  # type: ignore[arg-type]
        settings = diffusers_pipeline.Settings(model=str(folder))
        return diffusers_pipeline.load(settings, context).digests

    export = tmp_path / "export"
    shutil.copytree(compared / DATA / "06_models/export", export)
    before = digests(export)
    file = export / "scheduler/scheduler_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"num_train_timesteps": 500}))
    after = digests(export)
    assert {name for name in before if before[name] != after[name]} == {"configurations"}


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        ({"type": "oracle"}, "compare.estimators.x.type: 'oracle' is no estimator; choose one of "),
        ({"type": "constant", "grey": 1}, "compare.estimators.x.grey: no such key (got 1)"),
        ({"type": "checkpoint", "checkpoint": 5}, "checkpoint: no step 5 in "),
        ({"type": "predictions", "folder": "nowhere"}, "nowhere: no file of predictions here"),
        ({"type": "marigold", "model": "nowhere"}, "nowhere: "),
        ({"type": "no.such.module"}, "compare.estimators.x.type: no.such.module: No module named"),
    ],
)
def test_a_wrong_estimator_is_one_line(
    exported_project: Path, tmp_path: Path, estimator: dict, message: str
) -> None:
    project = copied(exported_project, tmp_path)
    write_settings(project, {"estimators": {"input": {"type": "beauty"}, "x": estimator}})
    assert message in error_of(project, "--pipelines", "compare")


def test_a_missing_prediction_is_named_and_not_skipped(compared: Path, tmp_path: Path) -> None:
    project = copied(compared, tmp_path)
    split = pd.read_parquet(project / DATA / "03_primary/manifest.parquet")
    name = split.loc[split["split"] == "test", "sample_id"].iloc[0]
    (project / "truth" / f"{name}_albedo.npy").unlink()
    message = error_of(project, "--pipelines", "compare")
    assert message == (
        f"Error: truth: no prediction of sample {name!r}; every sample that is scored needs one"
    )


@pytest.mark.slow
def test_a_metric_of_a_module_outside_the_package_by_the_docs(
    exported_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs/evaluation.md").read_text(encoding="utf-8")
    page = page[page.index("## Your own metric") :]
    code, settings = (
        re.findall(rf"^```{language}\n(.*?)^```", page, re.S | re.M)[0]
        for language in ("python", "yaml")
    )
    project = copied(exported_project, tmp_path)
    (tmp_path / "my_metrics.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    methods = {"input": {"type": "beauty"}, "grey": {"type": "constant", "value": 0.25}}
    chosen = yaml.safe_load(settings)
    write_settings(project, chosen["compare"] | {"estimators": methods, "gallery": 3})
    before = json.loads((project / DATA / "08_reporting/metrics.json").read_text())["protocol"]
    file = project / "conf/test/parameters_evaluate.yml"
    evaluate = yaml.safe_load(file.read_text())["evaluate"] | chosen["evaluate"]
    file.write_text(yaml.safe_dump({"evaluate": evaluate}), encoding="utf-8")
    result = run_in_process(project, "--pipelines", "evaluate,compare,report")
    assert result.exit_code == 0, result.exception

    metrics = json.loads((project / DATA / "08_reporting/metrics.json").read_text())
    about = metrics["protocol"]["own_metrics"]["wrong_share"]
    assert about["path"] == "my_metrics.WRONG_SHARE"
    assert metrics["protocol"]["fingerprint"] != before["fingerprint"]
    pairs = PairShards(project / DATA / "03_primary/pairs")
    manifest = pd.read_parquet(project / DATA / "03_primary/manifest.parquet")
    for table in ("per_sample.parquet", "comparison/per_sample.parquet"):
        scores = pd.read_parquet(project / DATA / "08_reporting" / table)
        method = {"per_sample.parquet": "beauty_as_albedo"}.get(table, "input")
        scores = scores[scores["method"] == method].set_index("sample_id")["wrong_share"]
        for sample in manifest[manifest["split"] == "test"].itertuples():
            beauty, albedo = (
                dequantize(pairs.tensor(name, sample.row)) for name in ("beauty", "albedo")
            )
            valid = pairs.tensor("valid", sample.row)[0] == 1
            wrong = (np.abs(beauty - albedo).max(axis=0) > 0.1)[valid]
            assert scores[sample.sample_id] == pytest.approx(wrong.mean(), abs=0.002)
    text = (project / DATA / "08_reporting/report.html").read_text()
    assert text.count("Wrong pixels") >= 2
    assert "Wrong pixels" in (project / DATA / "08_reporting/comparison/table.tex").read_text()


OWN_ESTIMATOR = '''
"""An estimator outside the package."""
import numpy as np
from albedo_pipeline.evaluation.estimators.fixed_method import FixedMethod
from albedo_pipeline.params.base import Params

class Settings(Params):
    power: float = 1.0

def load(settings, context):
    return FixedMethod.of(lambda beauty, *_: beauty**settings.power, "power", settings)
'''


def test_an_estimator_of_a_module_outside_the_package(
    compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = copied(compared, tmp_path)
    (tmp_path / "my_estimators").mkdir()
    (tmp_path / "my_estimators" / "power.py").write_text(OWN_ESTIMATOR)
    monkeypatch.syspath_prepend(str(tmp_path))
    own = {"type": "my_estimators.power", "power": 1.0}
    write_settings(project, {"estimators": {"input": {"type": "beauty"}, "own": own}})
    result = run_in_process(project, "--pipelines", "compare")
    assert result.exit_code == 0, result.exception
    assert results(project)["differences"]["test"]["own"]["psnr"]["mean"] == 0


@pytest.mark.slow
def test_evaluate_takes_a_checkpoint(compared: Path, tmp_path: Path) -> None:
    project = copied(compared, tmp_path)
    changes = "evaluate.checkpoint=4,evaluate.ensemble.members=1"
    result = run_in_process(project, "--pipelines", "evaluate,report", "--params", changes)
    assert result.exit_code == 0, result.exception
    metrics = json.loads((project / DATA / "08_reporting/metrics.json").read_text())
    expected = results(compared)["scores"]["test"]["step 4"]["psnr"]["mean"]
    # Batches of another size are computed with another rounding.
    assert metrics["test"]["model"]["psnr"]["mean"] == pytest.approx(expected, abs=1e-3)
    message = error_of(project, "--pipelines", "export")
    assert message.startswith("Error: metrics: not made from the denoiser at hand")
