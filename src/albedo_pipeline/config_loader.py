"""Kedro's configuration loader, which names the file, line and key of a mistake in one line."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from kedro.config import OmegaConfigLoader
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.runtime.plain_files import check_plain_file, is_folder

MOST_VALUES = 100_000
"""Largest number of values in a file of settings once its aliases are expanded."""
_KINDS = ("catalog", "parameters", "credentials", "globals")
"""How the names of files, or of their folders, begin that Kedro reads as settings."""
_SUFFIXES = (".yml", ".yaml", ".json")
_STANDARD = "tag:yaml.org,2002:"
_TAGS = {
    _STANDARD + name
    for name in ("map", "seq", "str", "int", "float", "bool", "null", "merge", "timestamp")
}


class ConfigLoader(OmegaConfigLoader):
    """Checks every file of settings before Kedro reads it.

    The arguments are those of Kedro's loader.

    Raises:
        ProjectError: if a file cannot be read, is not YAML, sets a key twice, has a tag that is not
            supported, or grows too large by its aliases. When settings are read, also if an
            interpolation `${…}` cannot be resolved.
    """

    def __init__(
        self,
        conf_source: str | Path,
        env: str | None = None,
        runtime_params: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        for name, value in (runtime_params or {}).items():
            if isinstance(value, list):
                raise ProjectError(f"--params: {name}: expected settings, not a list")
        source = Path(conf_source)
        folders = (options.get("base_env"), env or options.get("default_run_env"))
        paths = [path for folder in folders if folder for path in _settings_in(source / folder)]
        self._files = {path: path.relative_to(source.parent).as_posix() for path in paths}
        self._roots = {name: check_settings(path, name) for path, name in self._files.items()}
        super().__init__(str(conf_source), env, runtime_params, **options)

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Settings of one kind, such as `parameters`; see Kedro's loader."""
        try:
            return super().__getitem__(key)
        except OmegaConfBaseException as error:
            raise ProjectError(self._located(error)) from error
        except (ValueError, yaml.YAMLError):
            self._check_values()
            raise

    def _located(self, error: OmegaConfBaseException) -> str:
        """The error with the file and line of its key, if a file has it."""
        key, reason = error.full_key or "", str(error).splitlines()[0]
        for name, root in self._roots.items():
            found = _node_at(root, re.findall(r"[^.\[\]]+", key))
            if isinstance(found, yaml.ScalarNode) and "${" in found.value:
                return f"{name}, line {found.start_mark.line + 1}: {key}: {reason}"
        self._check_values()
        return f"{key or 'the settings'}: {reason}"

    def _check_values(self) -> None:
        """Raise ProjectError if the values of a file cannot be built."""
        for path, name in self._files.items():
            try:
                OmegaConf.load(path)
            except Exception as error:  # such as an integer of too many digits
                raise ProjectError(f"{name}: {one_line(error)}") from error


def _settings_in(folder: Path) -> Iterator[Path]:
    """The files of a folder that Kedro reads as settings, sorted."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        is_named_so = any(part.startswith(_KINDS) for part in parts)
        is_hidden = any(part.startswith(".") for part in parts)
        if is_named_so and not is_hidden and path.suffix in _SUFFIXES and not is_folder(path):
            yield path


def check_settings(path: Path, name: str) -> yaml.Node | None:
    """Check one file of settings without building its values.

    Args:
        path: the file.
        name: what errors call it.

    Returns:
        The root of its YAML nodes; None if the file is empty.

    Raises:
        ProjectError: if the file has a mistake; names the file, the line if it is known, and the
            key.
    """
    try:
        check_plain_file(path)
        root = yaml.compose(path.read_bytes().decode("utf-8"), yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise ProjectError(f"{name}: not UTF-8 text ({error.reason})") from error
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ProjectError(f"{name}{line}: not valid YAML: {error.problem}") from error
    except RecursionError as error:
        raise ProjectError(f"{name}: its values are nested too deeply") from error
    except (ValueError, yaml.YAMLError) as error:
        raise ProjectError(f"{name}: {one_line(error)}") from error
    if root is None:
        return None
    if not isinstance(root, yaml.MappingNode):
        raise ProjectError(f"{name}: expected settings, each as 'key: value'")
    for key, value in root.value:
        if key.tag != f"{_STANDARD}str":
            raise _mistake(name, key, _text_of(key), "a key must be text; put it in quotes")
        if path.name.startswith("parameters") and isinstance(value, yaml.SequenceNode):
            raise _mistake(name, key, _text_of(key), "expected settings, not a list")
    _check_node(root, "", name, {})
    return root


def _check_node(node: yaml.Node, key: str, name: str, sizes: dict[int, int]) -> int:
    """Check a node and all below it; returns the number of values, with aliases expanded.

    Args:
        node: the node.
        key: its key in the file, with dots.
        name: what errors call the file.
        sizes: results for the nodes that were checked; 0 for one that is being checked.
    """
    if id(node) in sizes:
        if not sizes[id(node)]:
            raise _mistake(name, node, key, "contains itself by an alias")
        return sizes[id(node)]
    sizes[id(node)] = 0
    if node.tag not in _TAGS:
        tag = node.tag.replace(_STANDARD, "!!")
        raise _mistake(name, node, key, f"the tag {tag} is not supported; write a plain value")
    size = 1
    for part, below in _below(node, key, name):
        size += _check_node(below, _joined(key, part), name, sizes)
    if size > MOST_VALUES:
        raise _mistake(name, node, key, f"its aliases expand to more than {MOST_VALUES} values")
    sizes[id(node)] = size
    return size


def _below(node: yaml.Node, key: str, name: str) -> Iterator[tuple[str, yaml.Node]]:
    """Keys and values of a mapping, or indices and items of a list."""
    if isinstance(node, yaml.SequenceNode):
        yield from ((str(index), item) for index, item in enumerate(node.value))
    elif isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key_node, value in node.value:
            part = _text_of(key_node)
            if part in lines and key_node.tag != f"{_STANDARD}merge":
                reason = f"is already set in line {lines[part]}; remove one of them"
                raise _mistake(name, key_node, _joined(key, part), reason)
            lines[part] = key_node.start_mark.line + 1
            yield part, value


def _node_at(node: yaml.Node | None, parts: list[str]) -> yaml.Node | None:
    """The node at a key, by its parts; None if there is none."""
    for part in parts:
        if isinstance(node, yaml.SequenceNode) and part.isdecimal():
            node = node.value[int(part)] if int(part) < len(node.value) else None
        elif isinstance(node, yaml.MappingNode):
            node = {_text_of(key): value for key, value in node.value}.get(part)
        else:
            return None
    return node


def _joined(key: str, part: str) -> str:
    return f"{key}.{part}" if key else part


def _text_of(key: yaml.Node) -> str:
    return key.value if isinstance(key, yaml.ScalarNode) else "?"


def _mistake(name: str, node: yaml.Node, key: str, reason: str) -> ProjectError:
    return ProjectError(f"{name}, line {node.start_mark.line + 1}: {key}: {reason}")
