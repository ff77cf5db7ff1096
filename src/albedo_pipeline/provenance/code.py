"""Digest of the project's own code that a result depends on, exact to the file."""

import hashlib
import sys
from functools import cache
from pathlib import Path

import grimp

_PACKAGE = "albedo_pipeline"
_NO_EFFECT = {"errors", "params", "runtime"}
"""Rooms whose code decides no stored byte: settings enter a cache key by their values, and how work
is divided, shown and locked changes no result."""


def code_digest(*modules: str) -> str:
    """Digest of the modules' files and of all project files that they import, directly or not.

    A module outside the package, such as a user's own reader, counts with its own file alone.

    Args:
        modules: dotted names, such as `albedo_pipeline.preprocessing.pair_rows`.
    """
    digest = hashlib.sha256()
    for name in sorted(modules_behind(modules)):
        digest.update(f"{name} ".encode())
        digest.update(_file_of(name).read_bytes())
    return digest.hexdigest()[:16]


def modules_behind(modules: tuple[str, ...]) -> set[str]:
    """The modules and those that they import, without the rooms that have no effect."""
    graph = _import_graph()
    behind = set(modules)
    for name in modules:
        if name in graph.modules:
            behind |= graph.find_upstream_modules(name)
    return behind


@cache
def _import_graph() -> grimp.ImportGraph:
    graph = grimp.build_graph(_PACKAGE, exclude_type_checking_imports=True, cache_dir=None)
    for name in list(graph.modules):
        if _NO_EFFECT.intersection(name.split(".")[1:2]):
            graph.remove_module(name)
    return graph


def _file_of(module: str) -> Path:
    root, *parts = module.split(".")
    if root != _PACKAGE:
        return Path(sys.modules[module].__file__ or "")
    path = Path(__file__).parents[1].joinpath(*parts)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
