"""The project's own files: pipelines, catalog, dvc.yaml and environments agree."""

import configparser
from pathlib import Path

import grimp
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
from tests.support.project import PARAMS

ROOT = Path(__file__).parents[1]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
IMPORTS = grimp.build_graph("albedo_pipeline", exclude_type_checking_imports=True, cache_dir=None)
ONLY_NAMES = {"albedo_pipeline.node_types", "albedo_pipeline.params"}
"""Modules that import much, and of which each user wants one name."""


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


def test_every_dataset_has_an_entry_and_every_entry_a_use() -> None:
    used = {name for p in register_pipelines().values() for name in p.datasets()}
    assert {name for name in used if not name.startswith("param")} == set(config("base")["catalog"])


def test_a_pipeline_is_a_namespace_and_datasets_have_their_names_of_the_catalog() -> None:
    for name, pipeline in register_pipelines().items():
        spaces = {node.namespace for node in pipeline.nodes}
        if name in ("__default__", "demo"):
            assert spaces == {*DEFAULT_PIPELINES} | ({"synthesize"} if name == "demo" else set())
        else:
            assert spaces == {name}
    assert "params:train" in register_pipelines()["train"].inputs()


def test_layers_never_go_back() -> None:
    # Kedro-Viz sorts them by what depends on what, then by name; a circle would hide them all.
    catalog = config("base")["catalog"]
    layers = {name: entry["metadata"]["kedro-viz"]["layer"] for name, entry in catalog.items()}
    for pipeline in register_pipelines().values():
        for node in pipeline.nodes:
            read = [layers[name] for name in node.inputs if name in layers]
            assert all(max(read, default="") <= layers[name] for name in node.outputs), node.name


@pytest.mark.parametrize("env", ["base", "sd21", "test", "bundled"])
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


def test_dvc_has_a_stage_a_pipeline() -> None:
    assert list(STAGES) == ["synthesize", *DEFAULT_PIPELINES, "export"]
    for name, stage in STAGES.items():
        assert stage["cmd"].split(" --params ")[0] == f"kedro run --env ${{env}} --pipelines {name}"


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_has_its_pipelines_inputs_and_outputs(name: str) -> None:
    catalog, pipeline = config("base")["catalog"], register_pipelines()[name]
    made = {path_of(catalog[output]) for output in pipeline.all_outputs()}
    if name == "synthesize":  # the entry names the list; the stage owns its folder
        made = {path.removesuffix("/pairs.txt") for path in made}
    made |= {path_of(catalog["checkpoints"])} if name == "train" else set()
    assert paths_of_outs(STAGES[name]) == made
    inputs = set(catalog).intersection(pipeline.inputs()) - WRITTEN_WHILE_RUNNING
    used = {path_of(catalog[i]) for i in inputs} - {None}
    used = {path.removesuffix("/pairs.txt") for path in used}
    assert {d for d in STAGES[name]["deps"] if d.startswith("data")} == used


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_the_entries_that_it_writes_and_on_the_reader(name: str) -> None:
    pipeline = register_pipelines()[name]
    entries = pipeline.all_outputs() | ({"raw_pairs"} & pipeline.inputs())
    files = sorted((ROOT / "conf/base").glob("catalog_*.yml"))
    holding = {f"conf/base/{f.name}" for f in files if entries & set(yaml.safe_load(f.read_text()))}
    assert {d for d in STAGES[name]["deps"] if d.startswith("conf")} == holding


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_has_exactly_the_parameters_it_uses(name: str) -> None:
    inputs = register_pipelines()[name].inputs()
    used = {i.removeprefix("params:") for i in inputs if i.startswith("params:")}
    if "parameters" in inputs:  # shown, but for what was trained, which its own settings tell
        used |= {"synthesize", *DEFAULT_PIPELINES} - {"train"}
    folders = ("conf/base", "conf/${env}")
    files = {f"{folder}/parameters_{section}.yml" for section in used for folder in folders}
    assert {file for entry in STAGES[name]["params"] for file in entry} == files


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_all_code_that_it_runs_and_on_no_other(name: str) -> None:
    code = [d for d in STAGES[name]["deps"] if d.startswith("src")]
    files = {module_path(module) for module in reachable(name)}
    files = {
        file for file in files if file.parent.name != "albedo_pipeline"
    }  # no results of theirs
    missing = [f for f in files if not any(f == ROOT / d or ROOT / d in f.parents for d in code)]
    assert not missing
    idle = [d for d in code if not any(f == ROOT / d or ROOT / d in f.parents for f in files)]
    assert not idle


def reachable(name: str) -> set[str]:
    """Modules that the nodes and datasets of a pipeline import, wherever in their code."""
    catalog, pipeline = config("base")["catalog"], register_pipelines()[name]
    types = {catalog[d]["type"].rpartition(".")[0] for d in pipeline.datasets() if d in catalog}
    wiring = f"albedo_pipeline.pipelines.{name}"
    open_ = {f"{wiring}.nodes", f"{wiring}.pipeline", PARAMS[name].__module__}
    open_ |= {module for module in types if module.startswith("albedo_pipeline.")}
    found: set[str] = set()
    while open_:
        module = open_.pop()
        found.add(module)
        open_ |= IMPORTS.find_modules_directly_imported_by(module) - found - ONLY_NAMES
    return found


def module_path(module: str) -> Path:
    path = ROOT / "src" / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def test_usage_reporting_is_off() -> None:
    assert yaml.safe_load((ROOT / ".telemetry").read_text()) == {"consent": False}
    dvc = configparser.ConfigParser()
    dvc.read(ROOT / ".dvc" / "config")
    assert not dvc.getboolean("core", "analytics")
