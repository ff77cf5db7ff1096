"""The device of a setting."""

import os
from pathlib import Path

import pytest
import torch

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime import device
from albedo_pipeline.runtime.device import available_memory, peak_memory, pick_device


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine with a GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without a GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_each_process_takes_its_own_gpu(gpu, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert pick_device(name) == torch.device("cuda", 0)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert pick_device(name) == torch.device("cuda", 3)


def test_the_cpu_can_be_asked_for(gpu) -> None:
    assert pick_device("cpu") == torch.device("cpu")


def test_without_a_gpu_auto_takes_the_cpu(no_gpu) -> None:
    assert pick_device("auto") == torch.device("cpu")


def test_a_gpu_that_is_missing_is_an_error(no_gpu) -> None:
    with pytest.raises(ProjectError, match="'cuda' was asked for, but torch sees no GPU"):
        pick_device("cuda")


def test_memory_on_the_cpu_is_that_of_the_process() -> None:
    assert peak_memory(torch.device("cpu")) > 2**26


def test_the_available_memory_is_less_than_the_machine_has() -> None:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 2**20 < available_memory(torch.device("cpu")) < total


def test_a_container_may_allow_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("5000\n", encoding="ascii")
    (tmp_path / "memory.current").write_text("2000\n", encoding="ascii")
    statistics = "anon 400\nactive_file 600\ninactive_file 1000\n"
    (tmp_path / "memory.stat").write_text(statistics, encoding="ascii")
    assert available_memory(torch.device("cpu")) == 5000 - (2000 - 1000)
