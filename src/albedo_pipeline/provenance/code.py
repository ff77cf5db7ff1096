"""Digest of the project's own code that a result depends on, exact to the file."""

import hashlib
import sys
from collections.abc import Callable, Iterable
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
    for name in sorted(modules_behind(modules, decides_stored_bytes)):
        digest.update(f"{name} ".encode())
        digest.update(file_of(name).read_bytes())
    return digest.hexdigest()[:16]


def modules_behind(modules: Iterable[str], has_effect: Callable[[str], bool]) -> set[str]:
    """The modules and all project modules that they import, directly or not.

    Args:
        modules: dotted names; one outside the package counts alone.
        has_effect: whether an imported module counts. What only a module that does not count
            imports, does not count either.
    """
    graph, pending, behind = import_graph(), set(modules), set()
    while pending:
        module = pending.pop()
        behind.add(module)
        if module in graph.modules:
            imported = graph.find_modules_directly_imported_by(module) - behind
            pending |= {name for name in imported if has_effect(name)}
    return behind


@cache
def import_graph() -> grimp.ImportGraph:
    """The imports of the package, without those for type checkers."""
    return grimp.build_graph(_PACKAGE, exclude_type_checking_imports=True, cache_dir=None)


def decides_stored_bytes(module: str) -> bool:
    """Whether the code of a project module, by dotted name, can change a stored byte."""
    return not _NO_EFFECT.intersection(module.split(".")[1:2])


def file_of(module: str) -> Path:
    """The file of a module of the package, or of an imported module outside it."""
    root, *parts = module.split(".")
    if root != _PACKAGE:
        return Path(sys.modules[module].__file__ or "")
    path = Path(__file__).parents[1].joinpath(*parts)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
