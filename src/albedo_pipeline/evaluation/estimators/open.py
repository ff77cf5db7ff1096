"""Opens an estimator by the name of its file or, if it is outside the package, by a dotted path."""

import pkgutil
from importlib import import_module
from types import ModuleType
from typing import Any

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.evaluation import estimators
from albedo_pipeline.evaluation.estimators.base import AlbedoEstimator, Context

_SHARED = ("base", "fixed_method", "network", "open")
"""Files of the folder that are no estimators."""


def estimator_types() -> list[str]:
    """Names of the estimators that ship with the package."""
    names = (module.name for module in pkgutil.iter_modules(estimators.__path__))
    return sorted(name for name in names if name not in _SHARED)


def checked_settings(name: str, settings: dict[str, Any]) -> tuple[ModuleType, Any]:
    """The module of an estimator, and its settings as a model.

    Args:
        name: the estimator's name in `compare.estimators`.
        settings: `type`, and the settings of that type.

    Raises:
        ProjectError: if there is no such type, or a setting is wrong; names the key.
    """
    key, kind = f"compare.estimators.{name}", settings.get("type")
    if not isinstance(kind, str) or not ("." in kind or kind in estimator_types()):
        known = ", ".join(estimator_types())
        raise ProjectError(
            f"{key}.type: {kind!r} is no estimator; choose one of {known}, or the dotted path of "
            "a module of yours"
        )
    path = kind if "." in kind else f"{estimators.__name__}.{kind}"
    try:
        module = import_module(path)
        own = {option: value for option, value in settings.items() if option != "type"}
        return module, module.Settings.model_validate(own)
    except (ImportError, AttributeError) as error:
        raise ProjectError(f"{key}.type: {kind}: {one_line(error)}") from error
    except ValueError as error:
        raise ProjectError(f"{key}.{error}") from error


def open_estimator(name: str, settings: dict[str, Any], context: Context) -> AlbedoEstimator:
    """Load an estimator of `compare.estimators`.

    Raises:
        ProjectError: if a setting is wrong, or it cannot be loaded.
    """
    module, checked = checked_settings(name, settings)
    return module.load(checked, context)
