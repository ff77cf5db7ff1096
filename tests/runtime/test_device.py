"""The device of a setting."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime import device
from albedo_pipeline.runtime.device import (
    available_memory,
    device_for,
    peak_memory,
    pick_device,
)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine with four GPUs."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)


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


def test_a_process_that_sees_one_gpu_takes_it(gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert pick_device("cuda") == torch.device("cuda", 0)


def test_more_processes_than_gpus_are_an_error(gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "4")
    with pytest.raises(ProjectError, match="process 4 of this machine sees only 4 GPUs"):
        pick_device("auto")


def test_cublas_is_configured_before_its_first_product(gpu) -> None:
    pick_device("cpu")
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    pick_device("cuda")
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


@pytest.fixture
def torch_settings() -> Iterator[None]:
    """Put back what `open_device` sets."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark
    yield
    matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark = before


@pytest.mark.parametrize(("precision", "rounds"), [("fp32", False), ("tf32", True), ("bf16", True)])
def test_fp32_means_the_same_for_products_and_convolutions(
    gpu, torch_settings, monkeypatch: pytest.MonkeyPatch, precision: str, rounds: bool
) -> None:
    monkeypatch.setattr(device, "described", str)
    device.open_device("cuda", precision)
    assert torch.backends.cuda.matmul.allow_tf32 is rounds
    assert torch.backends.cudnn.allow_tf32 is rounds
    assert torch.backends.cudnn.benchmark


def test_deterministic_algorithms_are_not_chosen_by_their_speed(
    gpu, torch_settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "described", str)
    monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: True)
    device.open_device("cuda", "fp32")
    assert not torch.backends.cudnn.benchmark


def test_the_device_is_logged(no_gpu, caplog: pytest.LogCaptureFixture) -> None:
    device._log_once.cache_clear()
    with caplog.at_level("INFO"):
        device.open_device("auto", "bf16")
        device.open_device("auto", "bf16")
    assert caplog.messages == ["computing on the CPU in bf16"]


def test_apples_gpu_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ProjectError, match="'mps' was asked for, but torch sees no Apple GPU"):
        pick_device("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device("mps") == torch.device("mps")


def test_a_failed_allocation_names_the_setting() -> None:
    with (
        pytest.raises(ProjectError, match=r"^not enough memory; lower encode\.batch_size \("),
        device.memory_named("encode.batch_size"),
    ):
        torch.empty(2**60)


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="mat1"), device.memory_named("encode.batch_size"):
        torch.zeros(2, 3) @ torch.zeros(2, 3)


def test_the_cpu_can_be_asked_for(gpu) -> None:
    assert pick_device("cpu") == torch.device("cpu")


def test_without_a_gpu_auto_takes_the_cpu(no_gpu) -> None:
    assert pick_device("auto") == torch.device("cpu")


def test_a_gpu_that_is_missing_is_an_error(no_gpu) -> None:
    with pytest.raises(ProjectError, match="'cuda' was asked for, but torch sees no GPU"):
        pick_device("cuda")


def test_workers_take_the_gpu_if_they_have_one(no_gpu) -> None:
    """This process needs none itself."""
    assert device_for("auto", "fp32", 1) == device_for("cuda", "fp32", 0.5)
    assert device_for("auto", "fp32", 1) == torch.device("cuda", 0)
    assert device_for("auto", "fp32", 0) == device_for("cpu", "fp32", 1) == torch.device("cpu")
    for name, gpus in (("cuda", 0), ("mps", 1)):
        with pytest.raises(ProjectError, match=f"the workers have no {name}; "):
            device_for(name, "fp32", gpus)


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
