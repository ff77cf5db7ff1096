"""What can be set: every key of the parameter models, with its default, range and description."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from albedo_pipeline.params.base import Params

_BOUNDS = {
    "minimum": ">=",
    "exclusiveMinimum": ">",
    "maximum": "<=",
    "exclusiveMaximum": "<",
}
"""Bounds of a number in JSON Schema, and how they are written."""
_TYPES = {"integer": "whole number", "string": "text", "boolean": "true or false"}
"""Types of JSON Schema, and what they are called."""
_REQUIRED = object()
"""Stands for the default of a key that has none."""


class Setting(NamedTuple):
    """One key of the parameters."""

    key: str
    """Dotted key; `[]` stands for each item of a list, `<name>` for each name of a table."""
    default: str
    """The default as JSON, a text without quotes; `required` if the key has none, `as below` if it
    holds other keys, which have their own."""
    allowed: str
    """Type and range."""
    description: str
    """What the setting does, and its unit; empty if its model does not say it."""


def settings_of(model: type[Params], path: str) -> list[Setting]:
    """All keys of a parameter model, in the order of its fields; nested models follow their key.

    Args:
        model: the model.
        path: key of the model in the parameters, such as `train`.
    """
    schema = model.model_json_schema(mode="validation")
    return list(_keys(schema, schema.get("$defs", {}), path, {}))


def _keys(
    model: dict[str, Any], models: dict[str, Any], path: str, defaults: dict[str, Any]
) -> Iterator[Setting]:
    """The keys of one model. `defaults` are those that the field which holds the model sets."""
    for name, field in model["properties"].items():
        key = f"{path}.{name}"
        default = defaults.get(name, field.get("default", _REQUIRED))
        nested = list(_nested(field, models, key))
        held = default if any(below == key for below, _ in nested) else None
        written = "as below" if isinstance(held, dict) else _written(default)
        # JSON Schema drops a field's description if it is that of the model which the field holds.
        described: dict[str, Any] = next(
            (m for m in (field, *(m for _, m in nested)) if "description" in m), {}
        )
        yield Setting(key, written, _allowed(field), _one_line(described))
        for below, reference in nested:
            group_defaults = held if below == key and isinstance(held, dict) else {}
            yield from _keys(reference, models, below, group_defaults)


def _nested(
    field: dict[str, Any], models: dict[str, Any], key: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The models that a field can hold, each with the key that leads to it."""
    if "$ref" in field:
        yield key, models[field["$ref"].rpartition("/")[2]]
    for option in field.get("anyOf", ()):
        yield from _nested(option, models, key)
    if isinstance(field.get("items"), dict):
        yield from _nested(field["items"], models, f"{key}[]")
    if isinstance(field.get("additionalProperties"), dict):
        yield from _nested(field["additionalProperties"], models, f"{key}.<name>")


def _allowed(field: dict[str, Any]) -> str:
    """Type and range of a field of JSON Schema, in words."""
    if "anyOf" in field:
        return ", or ".join(_allowed(option) for option in field["anyOf"])
    if "$ref" in field:
        return "the keys below"
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    if "const" in field:
        return str(field["const"])
    if "prefixItems" in field:
        return "[" + ", ".join(_allowed(item) for item in field["prefixItems"]) + "]"
    kind = field.get("type", "any")
    if kind == "array":
        size = f" of at least {field['minItems']}" if field.get("minItems") else ""
        return f"list{size}: {_allowed(field['items'])}"
    if kind == "object":
        values = field.get("additionalProperties")
        return f"table of {_allowed(values)}" if isinstance(values, dict) else "table"
    bounds = [f"{sign} {field[name]}" for name, sign in _BOUNDS.items() if name in field]
    pattern = [f"matching {field['pattern']}"] if "pattern" in field else []
    return " ".join([_TYPES.get(kind, kind), *pattern, " and ".join(bounds)]).strip()


def _written(default: Any) -> str:
    if default is _REQUIRED:
        return "required"
    return default if isinstance(default, str) else json.dumps(default)


def _one_line(field: dict[str, Any]) -> str:
    return " ".join(field.get("description", "").split())
