"""Ranks, micro-batches, and what the processes of a run do together."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.distributed import (
    accelerated,
    micro_batch_ranges,
    open_group,
    rank,
    run_on_main_and_broadcast,
    world_size,
)

SHARE = """import sys
from pathlib import Path
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.distributed import (
    accelerated, any_process, run_on_main_and_broadcast
)

def fail():
    raise ValueError("no space left")

with accelerated("cpu", "fp32", False) as accelerator:
    rank = accelerator.process_index
    lines = [run_on_main_and_broadcast(accelerator, lambda: f"from {rank}")]
    lines += [str(any_process(accelerator, flag)) for flag in (False, rank == 1)]
    try:
        run_on_main_and_broadcast(accelerator, fail)
    except ValueError as error:
        lines.append(f"{type(error).__name__}: {error}")
Path(sys.argv[1], str(rank)).write_text("\\n".join(lines))
"""
WAIT_THEN_TRAIN = """import sys
from pathlib import Path
import torch
from albedo_pipeline.runtime.distributed import (
    accelerated, any_process, open_group, run_on_main_and_broadcast
)

open_group()
first = torch.distributed.group.WORLD
for turn in range(2):
    with accelerated("cpu", "fp32", False) as accelerator:
        number = run_on_main_and_broadcast(accelerator, lambda: turn)
        assert number == turn
        assert any_process(accelerator, accelerator.process_index == 1)
    assert torch.distributed.group.WORLD is first
"""
SEVERAL_GPUS = """import torch
import torch.distributed as distributed
from torch.testing._internal.distributed.fake_pg import FakeStore

torch.cuda.is_available = lambda: True
torch.cuda.device_count = lambda: 2
torch.cuda.set_device = lambda device: None
opened, really_open = [], distributed.init_process_group


def open_fake(backend, **options):
    opened.append(backend)
    really_open("cpu:fake,cuda:fake", store=FakeStore(), rank=0, world_size=2)


distributed.init_process_group = open_fake
from albedo_pipeline.runtime import device
from albedo_pipeline.runtime.distributed import accelerated, any_process, open_group

device.described = str
open_group()
with accelerated("cuda", "fp32", False) as accelerator:
    assert str(accelerator.device) == "cuda:0", accelerator.device
    assert accelerator.num_processes == 2
    any_process(accelerator, True)
assert opened == ["cpu:gloo,cuda:nccl"], opened
"""


def run_in_two_processes(script: str, folder: Path) -> None:
    """Run a script under torchrun; it gets the folder as its argument."""
    path = folder / "script.py"
    path.write_text(script, encoding="utf-8")
    torchrun = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    process = subprocess.Popen(
        [sys.executable, "-m", *torchrun, str(path), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = process.communicate(timeout=120)
    finally:
        process.terminate()  # torchrun then ends its processes
        process.wait()
    assert process.returncode == 0, output


def test_a_process_alone_is_rank_0_of_1(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert (rank(), world_size()) == (0, 1)
    open_group()
    assert not torch.distributed.is_initialized()


def test_torchrun_says_rank_and_world_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert (rank(), world_size()) == (2, 4)


@pytest.mark.parametrize(("world_size", "micro"), [(1, 8), (1, 3), (2, 4), (2, 2), (4, 1), (3, 2)])
def test_micro_batches_are_the_effective_batch_in_order(world_size: int, micro: int) -> None:
    ranges = [r for n in range(world_size) for r in micro_batch_ranges(n, world_size, 24, micro)]
    assert [place for places in ranges for place in places] == list(range(24))
    assert {len(places) for places in ranges} == {micro}


def test_a_micro_batch_is_at_most_the_share_of_a_process() -> None:
    assert micro_batch_ranges(1, 2, 8, 100) == [range(4, 8)]


@pytest.mark.parametrize(("world_size", "effective", "micro"), [(2, 9, 1), (1, 8, 3), (4, 2, 1)])
def test_an_uneven_division_is_an_error(world_size: int, effective: int, micro: int) -> None:
    message = (
        f"effective_batch_size: {effective} cannot be divided evenly into micro-batches of "
        f"{micro} on {world_size} processes"
    )
    with pytest.raises(ProjectError, match=message):
        micro_batch_ranges(0, world_size, effective, micro)


def test_global_settings_end_with_the_context() -> None:
    before = torch.are_deterministic_algorithms_enabled()
    with accelerated("cpu", "bf16", deterministic=not before) as accelerator:
        assert accelerator.mixed_precision == "bf16"
        assert torch.are_deterministic_algorithms_enabled() is not before
    assert torch.are_deterministic_algorithms_enabled() is before
    with accelerated("cpu", "fp32", deterministic=False) as accelerator:
        assert accelerator.mixed_precision == "no"


@pytest.mark.parametrize("is_main", [True, False])
def test_an_error_without_a_message_still_ends_all_processes(
    monkeypatch: pytest.MonkeyPatch, is_main: bool
) -> None:
    """The other processes get the error's type; here the broadcast is a plain list."""
    sent: list = [None, "KeyError"]

    def broadcast(outcome: list) -> None:
        if is_main:
            sent[:] = outcome
        else:
            outcome[:] = sent

    def fail() -> None:
        raise KeyError

    monkeypatch.setattr("accelerate.utils.broadcast_object_list", broadcast)
    accelerator = SimpleNamespace(is_main_process=is_main)
    with pytest.raises(KeyError if is_main else ProjectError, match=r"^$|KeyError"):
        run_on_main_and_broadcast(accelerator, fail)
    assert sent == [None, "KeyError"]


def test_two_processes_share_results_flags_and_errors(tmp_path: Path) -> None:
    run_in_two_processes(SHARE, tmp_path)
    lines = [(tmp_path / str(n)).read_text(encoding="utf-8").splitlines() for n in range(2)]
    assert lines[0] == ["from 0", "False", "True", "ValueError: no space left"]
    assert lines[1] == ["from 0", "False", "True", "ProjectError: no space left"]


@pytest.mark.slow
def test_one_group_serves_all_pipelines_of_a_run(tmp_path: Path) -> None:
    run_in_two_processes(WAIT_THEN_TRAIN, tmp_path)


@pytest.mark.slow
def test_the_group_of_several_gpus_serves_the_cpu_too() -> None:
    """On torch's fake backend: which backends are opened, and for which tensors."""
    process = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    result = subprocess.run(
        [sys.executable, "-c", SEVERAL_GPUS],
        env=os.environ | process | {"MASTER_ADDR": "localhost", "MASTER_PORT": "29511"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("mps", "fp16", False), "precision: fp16 needs a GPU of CUDA"),
        (("mps", "bf16", True), "execution.deterministic: not on mps"),
        (("cpu", "fp16", False), "precision: fp16 needs a GPU of CUDA"),
    ],
)
def test_what_a_device_cannot_do_is_refused(
    monkeypatch: pytest.MonkeyPatch, settings: tuple, message: str
) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with pytest.raises(ProjectError, match=message), accelerated(*settings):
        pass
