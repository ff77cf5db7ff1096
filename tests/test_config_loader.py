"""Mistakes in files of settings: one line with the file, the line and the key."""

import os
import re
import time
from pathlib import Path

import pytest

from albedo_pipeline.config_loader import ConfigLoader
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.settings import CONFIG_LOADER_ARGS

BOMB = "train:\n  a0: &a0 [lol, lol]\n" + "".join(
    f"  a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
)
PYTHON_TAG = "train:\n  norm: !!python/object/apply:os.mkdir [made]\n"
MISTAKES = [
    ("train:\n  seed: 1\n  seed: 2\n", ", line 3: train.seed: is already set in line 2"),
    ("train: {seed: 1, seed: 2}\n", ", line 1: train.seed: is already set in line 1"),
    ("train: 1\ntrain: 2\n", ", line 2: train: is already set in line 1"),
    ("train:\n  norm: ${nope.x}\n", ", line 2: train.norm: Interpolation key 'nope.x' not found"),
    ("train:\n  a:\n  - ${nope}\n", r", line 3: train\.a\[0\]: Interpolation key 'nope' not found"),
    ("train:\n  norm: ${nope:1}\n", ", line 2: train.norm: Unsupported interpolation type nope"),
    ("train:\n  norm: ${globals:nope}\n", ", line 2: train.norm: .*Globals key 'nope' not found"),
    ("train:\n  norm: ${nope\n", ", line 2: train.norm: no viable alternative"),
    ("train:\n  a: ${.b}\n  b: ${.a}\n", ", line 2: train.a: Recursive interpolation"),
    (PYTHON_TAG, ", line 2: train.norm: the tag !!python/object/apply:os.mkdir is not supported"),
    ("train: !mine 3\n", ", line 1: train: the tag !mine is not supported"),
    (BOMB, r", line \d+: train\.a\d: its aliases expand to more than 100000 values"),
    ("train: &x\n  a: *x\n", ", line 1: train.a: contains itself by an alias"),
    ("train: *x\n", ", line 1: not valid YAML: found undefined alias 'x'"),
    ("train: [\n", ", line 2: not valid YAML: "),
    ("train:\n\tseed: 1\n", ", line 2: not valid YAML: .*character"),
    ("train: 1\n---\ntrain: 2\n", ", line 2: not valid YAML: but found another document"),
    ("- train\n", ": expected settings, each as 'key: value'"),
    ("train: [1]\n", ", line 1: train: expected settings, not a list"),
    ("train\n", ": expected settings, each as 'key: value'"),
    ("1: 2\n", ", line 1: 1: a key must be text; put it in quotes"),
    ("train: a\0b\n", ": unacceptable character #x0000"),
    ("train: " + "[" * 500 + "]" * 500, ": its values are nested too deeply"),
    ("train: !!int seven\n", ": invalid literal for int"),
    (f"train: {'9' * 5000}\n", r": Exceeds the limit \(4300 digits\)"),
    (b"train: K\xf6ln\n", ": not UTF-8 text"),
]


def load(conf: Path) -> dict:
    """The parameters of the environment `mine`."""
    return ConfigLoader(conf, "mine", **CONFIG_LOADER_ARGS)["parameters"]


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    for folder in ("base", "mine"):
        (tmp_path / "conf" / folder).mkdir(parents=True)
    (tmp_path / "conf/base/parameters_train.yml").write_text("train: {norm: 1, size: 2}\n")
    return tmp_path / "conf"


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_one_line_that_names_file_line_and_key(
    conf: Path, text: str | bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(conf)
    content = text if isinstance(text, bytes) else text.encode()
    (conf / "mine" / "parameters_x.yml").write_bytes(content)
    start = time.process_time()
    with pytest.raises(ProjectError) as raised:
        load(conf)
    assert time.process_time() - start < 5
    assert re.match(f"conf/mine/parameters_x.yml{message}", str(raised.value)), raised.value
    assert "\n" not in str(raised.value)
    assert not (conf / "made").exists()


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("gone")])
def test_settings_that_cannot_be_read_are_not_passed_over(conf: Path, make) -> None:
    make(conf / "mine" / "parameters_x.yml")
    with pytest.raises(ProjectError, match=r"^conf/mine/parameters_x\.yml: a "):
        load(conf)


def test_sound_settings_are_those_of_kedro(conf: Path) -> None:
    (conf / "mine" / "parameters.yml").write_text(
        "_shared: &shared {day: 2001-01-01, norm: 3}\n"
        "train:\n  <<: *shared\n  twice: ['${train.norm}']\n"
    )
    for name in (".parameters_hidden.yml", "notes.yml", "parameters.txt"):
        (conf / "mine" / name).write_text("a: [")
    (conf / "mine" / "parameters_empty.yml").touch()
    expected = {"norm": 3, "size": 2, "day": "2001-01-01", "twice": [3]}
    assert load(conf)["train"] == expected


def test_a_wrong_value_of_the_command_line_names_its_key(conf: Path) -> None:
    loader = ConfigLoader(conf, "mine", {"train": {"norm": "${nope}"}}, **CONFIG_LOADER_ARGS)
    with pytest.raises(ProjectError, match=r"^train\.norm: Interpolation key 'nope' not found$"):
        loader["parameters"]
    with pytest.raises(ProjectError, match=r"^--params: train: expected settings, not a list$"):
        ConfigLoader(conf, "mine", {"train": [1]}, **CONFIG_LOADER_ARGS)
