"""Writes the code that each stage depends on into dvc.yaml: `python -m tools.dvc_dependencies`.

A stage depends on the modules that its nodes import, directly or not, and on those of the datasets
that they read and write; the import graph has them all. dvc.yaml names the folders that hold these
modules, so that it stays short and seldom changes. But a change in any other file of a folder runs
the stage again as well. If that would cost too much, dvc.yaml names the files: see `FILE_BY_FILE`.
"""

import re
import textwrap
from functools import cache
from pathlib import Path

import yaml
from kedro.config import OmegaConfigLoader

from albedo_pipeline import params
from albedo_pipeline.pipeline_registry import DEFAULT_PIPELINES, register_pipelines
from albedo_pipeline.provenance.code import file_of, import_graph, modules_behind

ROOT = Path(__file__).parents[1]
DVC_YAML = ROOT / "dvc.yaml"
STAGES = ("synthesize", *DEFAULT_PIPELINES[:-1], "sequence", DEFAULT_PIPELINES[-1], "export")
MARK = "# code, by `make dvc`:"
"""The comment in dvc.yaml above the code of a stage, which is the rest of its dependencies."""
NO_EFFECT = ("errors", "node_types", "runtime")
"""Modules and folders that change no result: how work is divided, shown and locked."""
FILE_BY_FILE: dict[str, tuple[tuple[str, ...], str]] = {
    "artifacts": (STAGES, "each file stores another kind of result"),
    "evaluation": (("autoencoder", "train"), "they use the round trip and the inputs of metrics"),
    "imaging": (("autoencoder", "train"), "the other files prepare images before the training"),
    "inference": (("train",), "validation uses no tiles and no images of the user"),
    "metrics": (("autoencoder", "train"), "conf/base names no metric besides those they import"),
    "models": (("train",), "the export is in the same folder"),
    "params": (STAGES, "each file holds the settings of another pipeline"),
    "preprocessing": (STAGES, "`ingest` and `encode` are in the same folder"),
    "provenance": (("autoencoder", "train"), "the records of later stages are in the same folder"),
    "readers": (STAGES, "the catalog names one reader"),
    "reporting": (("synthesize",), "it uses nothing but the sample sheet"),
    "training": (("autoencoder",), "the training of the denoiser is in the same folder"),
}
"""Folders whose files are named one by one: the stages for which they are, and the reason."""
_PACKAGE = "albedo_pipeline"


def with_code(text: str) -> str:
    """The text of dvc.yaml, with the code that every stage depends on now.

    Raises:
        ValueError: if a stage has no list of dependencies that contains `MARK`.
    """
    for stage in yaml.safe_load(text)["stages"]:
        paths = ", ".join(f"'${{code}}/{path}'" for path in code_of(stage))
        lines = textwrap.indent(textwrap.fill(paths, 94, break_on_hyphens=False), " " * 6)
        block = rf"(^  {stage}:\n(?:    .*\n)*?      {re.escape(MARK)}\n)[^]]*\]"
        text, count = re.subn(block, rf"\g<1>{lines}]", text, flags=re.M)
        if count != 1:
            raise ValueError(f"dvc.yaml: the deps of '{stage}' need the line '{MARK}'")
    return text


def code_of(stage: str) -> list[str]:
    """Folders and files of the package that a stage depends on, sorted."""
    return sorted({_dependency(module, stage) for module in reachable(stage)})


def _dependency(module: str, stage: str) -> str:
    folder = module.split(".")[1]
    if folder == "pipelines":
        return f"pipelines/{stage}"
    stages, _ = FILE_BY_FILE.get(folder, ((), ""))
    return path_of(module) if stage in stages else folder


def path_of(module: str) -> str:
    """The file of a module below the package, such as `params/base.py`."""
    return file_of(module).relative_to(ROOT / "src" / _PACKAGE).as_posix()


def reachable(stage: str) -> set[str]:
    """Modules that the nodes and datasets of a stage import, directly or not."""
    return modules_behind(_entry_points(stage), _has_effect)


def _entry_points(stage: str) -> set[str]:
    """Modules of the stage's nodes, of its settings, and of the types of its catalog entries."""
    used = register_pipelines()[stage].datasets()
    types = {entry["type"] for name, entry in _catalog().items() if name in used}
    datasets = {name.rpartition(".")[0] for name in types} & import_graph().modules
    wiring = {f"{_PACKAGE}.pipelines.{stage}.{file}" for file in ("nodes", "pipeline")}
    return datasets | wiring | {getattr(params, f"{stage.title()}Params").__module__}


def _has_effect(module: str) -> bool:
    _, folder, *names = module.split(".")
    if folder == "params" and not names:  # it only collects the models of all pipelines
        return False
    return folder not in NO_EFFECT


@cache
def _catalog() -> dict:
    return OmegaConfigLoader(str(ROOT / "conf"), env="base", base_env="base")["catalog"]


if __name__ == "__main__":
    DVC_YAML.write_text(with_code(DVC_YAML.read_text(encoding="utf-8")), encoding="utf-8")
