"""The list of settings: keys, defaults, ranges and descriptions of the parameter models."""

import json
import subprocess
import sys

from click.testing import CliRunner
from pydantic import Field

from albedo_pipeline.cli import cli
from albedo_pipeline.params.base import Params
from albedo_pipeline.params.listing import Setting, settings_of
from albedo_pipeline.pipeline_registry import register_pipelines


class Lens(Params):
    """A lens."""

    focal_length: float = Field(35.0, gt=0, le=400)
    """Focal length, mm."""


class Camera(Params):
    lens: Lens = Lens(focal_length=50.0)
    """The lens
    in front."""
    spare: Lens | None = None
    """Second lens."""
    lenses: tuple[Lens, ...] = ()
    """More lenses."""
    named: dict[str, Lens] = Field({})
    """Lenses by name."""
    shutter: tuple[int, float] = (1, 0.5)
    last: Lens = Lens()
    """A lens."""
    name: str = Field(pattern="^c")
    """Name of the camera."""


def test_every_key_has_its_default_range_and_description() -> None:
    lens_range = "number > 0 and <= 400"
    assert settings_of(Camera, "camera") == [
        Setting("camera.lens", "as below", "the keys below", "The lens in front."),
        Setting("camera.lens.focal_length", "50.0", lens_range, "Focal length, mm."),
        Setting("camera.spare", "null", "the keys below, or null", "Second lens."),
        Setting("camera.spare.focal_length", "35.0", lens_range, "Focal length, mm."),
        Setting("camera.lenses", "[]", "list: the keys below", "More lenses."),
        Setting("camera.lenses[].focal_length", "35.0", lens_range, "Focal length, mm."),
        Setting("camera.named", "{}", "table of the keys below", "Lenses by name."),
        Setting("camera.named.<name>.focal_length", "35.0", lens_range, "Focal length, mm."),
        Setting("camera.shutter", "[1, 0.5]", "[whole number, number]", ""),
        Setting("camera.last", "as below", "the keys below", "A lens."),
        Setting("camera.last.focal_length", "35.0", lens_range, "Focal length, mm."),
        Setting("camera.name", "required", "text matching ^c", "Name of the camera."),
    ]


def test_the_command_lists_the_settings_of_one_pipeline() -> None:
    result = CliRunner().invoke(cli, ["settings", "train"])
    assert result.exit_code == 0
    assert "train.effective_batch_size  (whole number >= 1; required)\n" in result.output
    assert (
        "train.validation.every  (whole number >= 1, or null; default: null)\n"
        "    Optimiser steps between two validations, with one more at the last step; null: none.\n"
    ) in result.output
    keys = [line for line in result.output.splitlines() if not line.startswith(" ")]
    assert {key.split(".")[0] for key in keys} == {"train"}


def test_without_a_pipeline_every_setting_is_listed_once_and_described() -> None:
    lines = CliRunner().invoke(cli, ["settings"]).output.splitlines()
    keys = [line.split("  ")[0] for line in lines if not line.startswith(" ")]
    inputs = {name for p in register_pipelines().values() for name in p.inputs()}
    models = {name.removeprefix("params:") for name in inputs if name.startswith("params:")}
    assert {key.split(".")[0] for key in keys} == models
    assert len(keys) == len(set(keys))
    after = zip(lines, [*lines[1:], ""], strict=True)
    assert [a for a, b in after if not a.startswith(" ") and not b.startswith("    ")] == []


def test_an_unknown_pipeline_is_named() -> None:
    result = CliRunner().invoke(cli, ["settings", "trian"])
    assert result.exit_code == 2
    assert "no such pipeline (got 'trian'); known are __default__, demo, synth" in result.output


def test_the_command_imports_no_heavy_library() -> None:
    heavy = ("torch", "diffusers", "transformers", "mitsuba")
    code = (
        "import json, sys; from click.testing import CliRunner;"
        "from albedo_pipeline.cli import cli;"
        "assert CliRunner().invoke(cli, ['settings']).exit_code == 0;"
        f"print(json.dumps([name for name in {heavy!r} if name in sys.modules]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == []
