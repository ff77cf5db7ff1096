"""The project's own files: pipelines, catalog, dvc.yaml and environments agree."""

import configparser
from pathlib import Path

import pytest
import yaml
from kedro.config import OmegaConfigLoader

from albedo_pipeline import params
from albedo_pipeline.offline_viz import without_web_fonts
from albedo_pipeline.pipeline_registry import APART, CHAIN, PHOTOS, register_pipelines
from albedo_pipeline.settings import CONFIG_LOADER_ARGS

ROOT = Path(__file__).parents[1]


def config(env: str) -> OmegaConfigLoader:
    return OmegaConfigLoader(str(ROOT / "conf"), env=env, **CONFIG_LOADER_ARGS)


WRITTEN_WHILE_RUNNING = {"checkpoints", "tensorboard", "export_folder"}
"""Inputs of `train` and `export`, to Kedro; they write them themselves."""


def path_of(entry: dict) -> str | None:
    return entry.get("filepath")


def paths_of_outs(stage: dict) -> set[str]:
    outs = [*stage["outs"], *stage.get("metrics", [])]
    return {next(iter(out)) if isinstance(out, dict) else out for out in outs}


def test_the_chain() -> None:
    pipelines = register_pipelines()
    assert set(pipelines) == {"__default__", "demo", "synthesize", *CHAIN, *APART, *PHOTOS}
    default = {node.name for node in pipelines["__default__"].nodes}
    assert default == {node.name for name in CHAIN for node in pipelines[name].nodes}
    assert {n.name for n in pipelines["demo"].nodes} - default == {
        "render_pairs",
        "describe_renders",
    }


def test_every_dataset_has_an_entry_and_every_entry_a_use() -> None:
    used = {name for p in register_pipelines().values() for name in p.datasets()}
    assert {name for name in used if not name.startswith("param")} == set(config("base")["catalog"])


@pytest.mark.parametrize("env", ["base", "sd21", "test", "bundled"])
def test_every_environment_is_valid(env: str) -> None:
    models = {
        "synthesize": params.SynthesizeParams,
        "ingest": params.IngestParams,
        "autoencoder": params.AutoencoderParams,
        "encode": params.EncodeParams,
        "train": params.TrainParams,
        "evaluate": params.EvaluateParams,
        "report": params.ReportParams,
        "export": params.ExportParams,
        "predict": params.PredictParams,
    }
    settings = config(env)["parameters"]
    assert set(settings) == set(models)
    for name, model in models.items():
        model.model_validate(settings[name])


def test_dvc_has_a_stage_a_pipeline_with_its_outputs() -> None:
    catalog = config("base")["catalog"]
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    pipelines = register_pipelines()
    assert list(stages) == ["synthesize", *CHAIN, "export"]
    for name, stage in stages.items():
        assert stage["cmd"].split(" --params ")[0] == f"kedro run --pipelines {name}"
        made = {path_of(catalog[output]) for output in pipelines[name].all_outputs()}
        if name == "synthesize":  # the entry names the list; the stage owns its folder
            made = {path.removesuffix("/pairs.txt") for path in made}
        made |= {path_of(catalog["checkpoints"])} if name == "train" else set()
        assert paths_of_outs(stage) == made, name
        inputs = set(catalog).intersection(pipelines[name].inputs()) - WRITTEN_WHILE_RUNNING
        used = {path_of(catalog[i]) for i in inputs} - {None}
        used = {path.removesuffix("/pairs.txt") for path in used}
        assert used <= set(stage["deps"]), name
        assert all((ROOT / d).exists() for d in stage["deps"] if d.startswith("src")), name


def test_usage_reporting_is_off() -> None:
    assert yaml.safe_load((ROOT / ".telemetry").read_text()) == {"consent": False}
    dvc = configparser.ConfigParser()
    dvc.read(ROOT / ".dvc" / "config")
    assert not dvc.getboolean("core", "analytics")


def test_the_page_of_kedro_viz_links_no_web_font(tmp_path: Path) -> None:
    import kedro_viz

    page = Path(kedro_viz.__file__).parent / "html"
    offline = without_web_fonts(page, tmp_path / "html")
    assert "fonts.g" not in (offline / "index.html").read_text(encoding="utf-8")
    assert (offline / "assets").is_dir()
