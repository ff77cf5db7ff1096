"""What the docs name is there: files, commands, settings, catalog entries."""

import importlib
import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel
from tests_support import PARAMS, ROOT

from albedo_pipeline.pipeline_registry import register_pipelines

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
IDS = [page.stem for page in PAGES]
pages = pytest.mark.parametrize("page", PAGES, ids=IDS)


def blocks(page: Path, language: str = "") -> Iterator[str]:
    """Fenced blocks of that language."""
    yield from re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def commands(page: Path, program: str) -> Iterator[list[str]]:
    """Words of every command of a program, in blocks and in code within the text."""
    text = page.read_text().replace("\\\n", " ")
    for line in re.findall(rf"\b{program} [^`\n]*", text):
        yield shlex.split(line.split(";")[0].split("'\n")[0].rstrip("'"), comments=True)


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pages
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if target.startswith("http"):
            continue
        name, _, fragment = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        if fragment:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert fragment in map(anchor, headings), target


@pages
def test_paths_are_there(page: Path) -> None:
    for name in re.findall(
        r"`((?:src|conf|tests|benchmarks|notebooks)/[\w./-]+)`", page.read_text()
    ):
        is_example = "mine" in name or name.startswith("conf/local") or "/catalog.yml" in name
        assert is_example or (ROOT / name).exists(), name


@pages
def test_make_has_these_verbs(page: Path) -> None:
    verbs = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for verb in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE):
        assert verb in verbs, verb


@pages
def test_kedro_runs_name_pipelines_and_settings(page: Path) -> None:
    known = register_pipelines()
    for words in commands(page, "kedro run"):
        options = dict(itertools.pairwise(words))
        chosen = options.get("--pipelines") or options.get("--pipeline")
        assert not chosen or set(chosen.split(",")) <= set(known), words
        for setting in filter(None, options.get("--params", "").split(",")):
            key, _, value = setting.partition("=")
            check_setting(key, yaml.safe_load(value) if value else None)


def check_setting(key: str, value: object) -> None:
    """A dotted key of a pipeline's settings; of a number or word also its value."""
    section, *path = key.split(".")
    model: type[BaseModel] = PARAMS[section]
    for name in path[:-1]:
        model = model.model_fields[name].annotation
    assert path[-1] in model.model_fields, key
    if value is not None and not str(value).isupper():  # FOLDER, PROJECT: the reader's own
        partial = model.model_validate({path[-1]: value}) if is_optional(model) else None
        assert partial is None or path[-1] in partial.model_fields_set


def is_optional(model: type[BaseModel]) -> bool:
    """Whether it can be made without any value."""
    return not any(field.is_required() for field in model.model_fields.values())


@pages
def test_catalog_entries_make_datasets(page: Path) -> None:
    for block in blocks(page, "yaml"):
        content = yaml.safe_load(block)
        for entry in content.values() if isinstance(content, dict) else ():
            if isinstance(entry, dict) and "albedo_pipeline." in str(entry.get("type")):
                module, _, name = entry.pop("type").rpartition(".")
                getattr(importlib.import_module(module), name)(**entry)
