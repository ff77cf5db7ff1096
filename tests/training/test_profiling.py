"""The profile of some steps: what is written, and that the result stays the same."""

import json
from pathlib import Path

import pytest
import torch

from albedo_pipeline.params.optimisation import Profile
from albedo_pipeline.training.profiling import profiled

STEPS = Profile(start=1, steps=2)


def multiply() -> None:
    torch.ones(8, 8) @ torch.ones(8, 8)


def operations(folder: Path, name: str) -> list[str]:
    trace = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return [event["name"] for event in trace["traceEvents"]]


def test_a_trace_and_a_table_are_written_of_the_named_steps(tmp_path: Path) -> None:
    for _ in profiled(range(5), STEPS, tmp_path):
        multiply()
    assert operations(tmp_path, "steps-1-to-2").count("aten::matmul") == 2
    assert "aten::mm" in (tmp_path / "steps-1-to-2.txt").read_text(encoding="utf-8")


def test_a_training_that_ends_first_still_writes_them(tmp_path: Path) -> None:
    for _ in profiled(range(2), STEPS, tmp_path):
        multiply()
    assert operations(tmp_path, "steps-1-to-1").count("aten::matmul") == 1


@pytest.mark.parametrize(("steps", "params"), [(range(3), None), (range(3, 6), STEPS)])
def test_nothing_is_written_of_other_steps(
    tmp_path: Path, steps: range, params: Profile | None
) -> None:
    assert list(profiled(steps, params, tmp_path)) == list(steps)
    assert not list(tmp_path.iterdir())


def test_the_weights_are_the_same_bits(train, tmp_path: Path) -> None:
    plain = train("plain").denoiser.unet.state_dict()
    other = train("profiled", execution={"profile": {"start": 1, "steps": 1}}).denoiser.unet
    assert all(torch.equal(weight, plain[name]) for name, weight in other.state_dict().items())
    assert len(list(tmp_path.rglob("profile/steps-1-to-1.txt"))) == 1
