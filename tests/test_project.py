"""The files of the project agree: pipelines, catalog, parameters, dvc.yaml and environments."""

import configparser

import pytest
import yaml
from kedro.config import OmegaConfigLoader

from albedo_pipeline.pipeline_registry import (
    DEFAULT_PIPELINES,
    REAL_PHOTO_BENCHMARKS,
    SEPARATE_PIPELINES,
    register_pipelines,
)
from albedo_pipeline.settings import CONFIG_LOADER_ARGS
from tests.support.project import PARAMS, ROOT

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
WRITTEN_DURING_THE_RUN = {
    "autoencoder_checkpoints",
    "autoencoder_tensorboard",
    "checkpoints",
    "encoded_latents",
    "export_folder",
    "tensorboard",
}
"""Inputs of nodes of `autoencoder`, `train` and `export` that the nodes write themselves, or that
an earlier run wrote."""


def config(env: str) -> OmegaConfigLoader:
    return OmegaConfigLoader(str(ROOT / "conf"), env=env, **CONFIG_LOADER_ARGS)


def path_of(entry: dict) -> str | None:
    """The path of a catalog entry; `synthesize` owns the folder of its list of pairs."""
    path = entry.get("filepath")
    return path and path.removesuffix("/pairs.txt")


def paths_of_outs(stage: dict) -> set[str]:
    outs = [*stage["outs"], *stage.get("metrics", [])]
    return {next(iter(out)) if isinstance(out, dict) else out for out in outs}


def test_default_is_the_chain_and_demo_adds_synthesize() -> None:
    pipelines = register_pipelines()
    assert set(pipelines) == {
        "__default__",
        "demo",
        "synthesize",
        *DEFAULT_PIPELINES,
        *SEPARATE_PIPELINES,
        *REAL_PHOTO_BENCHMARKS,
    }
    default = {node.name for node in pipelines["__default__"].nodes}
    assert default == {node.name for name in DEFAULT_PIPELINES for node in pipelines[name].nodes}
    assert {n.name for n in pipelines["demo"].nodes} - default == {
        "synthesize.render_pairs",
        "synthesize.describe_renders",
    }


def test_every_dataset_has_a_catalog_entry_and_every_entry_is_used() -> None:
    """The published split is handed on in memory, which is the runner's affair."""
    used = {name for p in register_pipelines().values() for name in p.datasets()}
    stored = {name for name in used if not name.startswith("param")} - {"published_split"}
    assert stored == set(config("base")["catalog"])


def test_a_pipeline_is_a_namespace_of_nodes_but_not_of_datasets() -> None:
    for name, pipeline in register_pipelines().items():
        namespaces = {node.namespace for node in pipeline.nodes}
        if name in ("__default__", "demo"):
            assert namespaces == {*DEFAULT_PIPELINES} | (
                {"synthesize"} if name == "demo" else set()
            )
        else:
            assert namespaces == {name}
    assert "params:train" in register_pipelines()["train"].inputs()


def test_no_node_reads_a_later_layer_than_it_writes() -> None:
    # Kedro-Viz sorts layers by what depends on what; a circle would hide them all.
    catalog = config("base")["catalog"]
    layers = {name: entry["metadata"]["kedro-viz"]["layer"] for name, entry in catalog.items()}
    for pipeline in register_pipelines().values():
        for node in pipeline.nodes:
            read, written = (
                [layers[name] for name in names if name in layers]
                for names in (node.inputs, node.outputs)
            )
            assert max(read, default="") <= min(written, default="9"), node.name


@pytest.mark.parametrize(
    "env",
    [
        "base",
        "sd21",
        "test",
        "bundled_autoencoder",
        "bundled_estimator",
        "bundled_estimator_pixels",
    ],
)
def test_every_environment_is_valid(env: str) -> None:
    settings = config(env)["parameters"]
    assert set(settings) == set(PARAMS)
    for name, model in PARAMS.items():
        model.model_validate(settings[name])


@pytest.mark.parametrize("env", ["base", "sd21", "test"])
def test_dvc_finds_a_file_of_parameters_for_every_pipeline(env: str) -> None:
    for name in PARAMS:
        file = ROOT / "conf" / env / f"parameters_{name}.yml"
        assert list(yaml.safe_load(file.read_text())) == [name]


def test_dvc_has_one_stage_per_pipeline() -> None:
    assert list(STAGES) == ["synthesize", *DEFAULT_PIPELINES, "export"]
    for name, stage in STAGES.items():
        assert stage["cmd"].split(" --params ")[0] == f"kedro run --env ${{env}} --pipelines {name}"


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_has_the_inputs_and_outputs_of_its_pipeline(name: str) -> None:
    catalog, pipeline = config("base")["catalog"], register_pipelines()[name]
    written = {path_of(catalog[output]) for output in pipeline.all_outputs() & set(catalog)}
    written |= {path_of(catalog["checkpoints"])} if name == "train" else set()
    assert paths_of_outs(STAGES[name]) == written
    inputs = set(catalog).intersection(pipeline.inputs()) - WRITTEN_DURING_THE_RUN
    read = {path_of(catalog[i]) for i in inputs} - {None}
    assert {d for d in STAGES[name]["deps"] if d.startswith("data")} == read


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_the_catalog_entries_it_writes_and_on_the_reader(name: str) -> None:
    pipeline = register_pipelines()[name]
    entries = pipeline.all_outputs() | ({"raw_pairs"} & pipeline.inputs())
    files = sorted((ROOT / "conf/base").glob("catalog_*.yml"))
    holding = {f"conf/base/{f.name}" for f in files if entries & set(yaml.safe_load(f.read_text()))}
    assert {d for d in STAGES[name]["deps"] if d.startswith("conf")} == holding


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_has_exactly_the_parameters_it_uses(name: str) -> None:
    inputs = register_pipelines()[name].inputs()
    used = {i.removeprefix("params:") for i in inputs if i.startswith("params:")}
    if "parameters" in inputs:  # the report shows them all; those of `train` come from its results
        used |= {"synthesize", *DEFAULT_PIPELINES} - {"train"}
    folders = ("conf/base", "conf/${env}")
    files = {f"{folder}/parameters_{section}.yml" for section in used for folder in folders}
    assert {file for entry in STAGES[name]["params"] for file in entry} == files


@pytest.mark.parametrize("env", ["base", "sd21", "test"])
def test_train_depends_on_the_code_of_the_metric_that_its_settings_name(env: str) -> None:
    # The training finds it by name, which the import graph does not show.
    metric = config(env)["parameters"]["train"]["validation"].get("metric", "psnr")
    assert f"${{code}}/metrics/image/{metric}.py" in STAGES["train"]["deps"]


def test_usage_reporting_is_off() -> None:
    assert yaml.safe_load((ROOT / ".telemetry").read_text()) == {"consent": False}
    dvc = configparser.ConfigParser()
    dvc.read(ROOT / ".dvc" / "config")
    assert not dvc.getboolean("core", "analytics")
