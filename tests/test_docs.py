"""Files, headings, commands, settings and catalog entries that the docs name exist."""

import re
import shlex
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import yaml
from click import Context
from kedro.config import OmegaConfigLoader
from kedro.io import AbstractDataset

from albedo_pipeline import params
from albedo_pipeline.cli import cli
from albedo_pipeline.hooks import SECTIONS
from albedo_pipeline.pipeline_registry import register_pipelines
from albedo_pipeline.settings import CONFIG_LOADER_ARGS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
MODELS = {section: getattr(params, f"{section.title()}Params") for section in SECTIONS}
WRITTEN_BY_THE_USER = {"conf/sd21/catalog.yml", "conf/sd21/globals.yml", "src/my_metrics.py"}
"""Files that the docs tell the user to write."""


def matches(pattern: str) -> list[tuple[str, str]]:
    """(page, match) for all matches; a command that continues on the next line is one line."""
    joined = {page: text.replace("\\\n", " ") for page, text in TEXTS.items()}
    return [(page, match) for page in joined for match in re.findall(pattern, joined[page], re.M)]


def blocks() -> Iterator[tuple[str, str]]:
    """(page, YAML) for all fenced blocks, and for all files that a command writes."""
    for page, text in TEXTS.items():
        for block in re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.M):
            yield page, block
        for block in re.findall(r"\.yml <<'END'\n(.*?)^END$", text, re.DOTALL | re.M):
            yield page, block


def check_all(cases: list[tuple[str, str]], check: Callable[[str, str], None]) -> None:
    """Check every different case; the failure names all that fail."""
    assert cases
    failures = []
    for page, text in sorted(set(cases)):
        try:
            check(page, text)
        except Exception as error:
            failures.append(f"{page}: {text}: {type(error).__name__} {error}"[:300])
    assert not failures, "\n".join(failures)


def anchors(page: str) -> list[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", (ROOT / page).read_text(encoding="utf-8"), re.M)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@cache
def settings(env: str) -> dict:
    """The parameters of an environment; not to be changed."""
    return dict(OmegaConfigLoader(str(ROOT / "conf"), env=env, **CONFIG_LOADER_ARGS)["parameters"])


def test_links_lead_somewhere() -> None:
    check_all(matches(r"\]\(([^)\s]+)\)"), check_link)


def check_link(page: str, link: str) -> None:
    if link.startswith(("http://", "https://")):
        return
    name, _, anchor = link.partition("#")
    target = (ROOT / page).parent / name if name else ROOT / page
    assert target.exists()
    if anchor:
        assert anchor in anchors(target.resolve().relative_to(ROOT).as_posix())


def test_paths_exist() -> None:
    folders = "src|conf|tests|tools|benchmarks|notebooks|docs"
    check_all(matches(rf"(?<![\w./-])((?:{folders})/[\w./<>*-]*[\w>])"), check_path)


def check_path(page: str, path: str) -> None:
    if path in WRITTEN_BY_THE_USER or path.startswith("conf/local/"):
        return
    known = path.partition("<")[0].rpartition("/")[0] if "<" in path else path
    assert (ROOT / known).exists()


def test_modules_can_be_run() -> None:
    check_all(matches(r"python -m ((?:tests|tools)\.[a-z_.]+)\b"), check_module)


def check_module(page: str, module: str) -> None:
    assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()


def test_make_has_the_targets() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z][a-z-]*):", makefile, re.M)
    assert {target for _, target in matches(r"(?:^|`)make ([a-z][a-z-]*)")} <= set(targets)


def test_kedro_commands_name_pipelines_and_settings() -> None:
    check_all(matches(r"\bkedro run\b([^`'\n;&|>#]*)"), check_run)


def check_run(page: str, options: str) -> None:
    run: Context = cli.commands["run"].make_context("run", shlex.split(options))
    chosen = [run.params["pipeline"], *(run.params["pipelines"] or [])]
    assert set(filter(None, chosen)) <= set(register_pipelines())
    env = run.params["env"] or "base"
    assert (ROOT / "conf" / env).is_dir()
    changed = merged(settings(env), run.params["params"])
    assert set(changed) == set(MODELS)
    for section, model in MODELS.items():
        model.model_validate(changed[section])


def test_yaml_blocks_are_catalogs_or_settings() -> None:
    check_all(list(blocks()), check_yaml)


def check_yaml(page: str, text: str) -> None:
    content = yaml.safe_load(text)
    if any("type" in entry for entry in content.values() if isinstance(entry, dict)):
        for name, entry in content.items():
            AbstractDataset.from_config(name, entry)
    else:
        check_settings(content)


def check_settings(content: dict) -> None:
    """Validate sections, or the keys of one section, on top of `conf/base`."""
    if not set(content) <= set(MODELS):
        owner = next(name for name, m in MODELS.items() if set(content) <= set(m.model_fields))
        content = {owner: content}
    for section, changes in content.items():
        MODELS[section].model_validate(merged(settings("base")[section], changes))


def merged(one: dict, other: dict) -> dict:
    """`other` on top of `one`, key by key."""
    both = {key: merged(one[key], value) for key, value in other.items() if is_nested(one, key)}
    return one | other | both


def is_nested(one: dict, key: str) -> bool:
    return isinstance(one.get(key), dict)
