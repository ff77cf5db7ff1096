"""Benchmarks for GPUs hold no more than what they compare; sizes are counted, nothing is timed."""

from pathlib import Path

import pytest

from tests.support.project import ROOT

CASES = ["original", "original bf16", "ours fp32", "ours bf16", "bare fp32", "bare bf16"]


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


def test_at_full_width_two_trainings_are_in_memory_at_once() -> None:
    from train_step import turns_together

    together = turns_together(CASES, "full")
    assert all(len(names) == 2 for names in together)
    assert {name for names in together for name in names} == set(CASES)
    assert turns_together(CASES, "quarter") == [tuple(CASES)]


def test_a_case_that_is_compared_with_nothing_runs_alone() -> None:
    from train_step import turns_together

    assert turns_together(["bare fp32"], "full") == [("bare fp32",)]


def test_the_bare_encoder_holds_the_different_images_alone(tmp_path: Path) -> None:
    import torch
    from encode import DIFFERENT, in_memory, random_pairs

    pairs = random_pairs(tmp_path, 3 * DIFFERENT, side=16)
    images = in_memory(pairs, torch.device("cpu"))
    assert images.shape == (4 * DIFFERENT, 3, 16, 16)
    assert torch.equal(images[2 * DIFFERENT :], images[: 2 * DIFFERENT].flip(-1))
