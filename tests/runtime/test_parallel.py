"""The parallel map: the order of the items, few of them in memory, and an early end."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import count
from multiprocessing import get_context

import pytest

from albedo_pipeline.runtime.parallel import one_thread_each, ordered_map, usable_cores


def processes(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, get_context("spawn"))


EXECUTORS = [ThreadPoolExecutor, processes]


def square(number: int) -> int:
    """Later numbers finish sooner."""
    time.sleep(0.01 / (1 + number))
    return number**2


def fail_at_three(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_items(
    executor: Callable[[int], Executor], workers: int
) -> None:
    expected = [number**2 for number in range(20)]
    assert list(ordered_map(square, range(20), workers, executor)) == expected


def test_no_items_give_no_results() -> None:
    assert list(ordered_map(square, [], 2)) == []


@pytest.mark.parametrize(("workers", "ahead"), [(1, 1), (2, 2), (2, 3)])
def test_no_more_items_are_taken_than_the_bound(workers: int, ahead: int) -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    results = ordered_map(square, items(), workers, ahead=ahead)
    assert taken == 0  # nothing happens before the first result is asked for
    for yielded in range(1, 10):
        next(results)
        assert taken == workers * ahead + yielded - 1
    results.close()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_an_error_comes_in_its_place_and_ends_the_map(executor: Callable[[int], Executor]) -> None:
    results = ordered_map(fail_at_three, count(), 2, executor)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    with pytest.raises(StopIteration):
        next(results)


def test_closing_early_drops_what_was_not_started_and_ends_the_threads() -> None:
    started: list[int] = []
    release = threading.Event()

    def wait(number: int) -> int:
        started.append(number)
        if number:
            release.wait(10)
        return number

    before = threading.active_count()
    results = ordered_map(wait, range(100), 1, ahead=5)
    assert next(results) == 0
    threading.Timer(0.1, release.set).start()
    results.close()
    assert started in ([0], [0, 1])
    assert threading.active_count() <= before + 1  # the timer


def test_closing_early_ends_the_processes() -> None:
    pids = ordered_map(process_id, count(), 1, processes)
    pid = next(pids)
    pids.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def process_id(_: int) -> int:
    return os.getpid()


def test_the_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 5}, raising=False)
    assert usable_cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1


def test_torch_s_number_of_threads_is_restored() -> None:
    import torch  # here, because the processes of the other tests import this module

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread_each():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        with pytest.raises(ZeroDivisionError), one_thread_each():
            raise ZeroDivisionError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
