"""Maps on several threads or processes, and the cores that they may use."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def ordered_map(
    function: Callable[[A], B],
    items: Iterable[A],
    workers: int,
    executor: Callable[[int], Executor] = ThreadPoolExecutor,
    ahead: int = 2,
) -> Generator[B]:
    """Yield `function(item)` of every item, in the order of the items.

    Items are taken when a worker can start on them, so `items` may be endless. If the generator is
    closed early, or `function` raises, items that were not started are dropped, and the executor
    is shut down.

    Args:
        function: is called in the workers; must be picklable if these are processes.
        items: arguments of the calls.
        workers: number of threads or processes.
        executor: makes the executor for this number of workers.
        ahead: number of items, per worker, that may be in progress or finished but not yielded.
    """
    remaining = iter(items)
    pool = executor(workers)
    try:
        waiting = deque(pool.submit(function, item) for item in islice(remaining, ahead * workers))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(function, item) for item in islice(remaining, 1))
    finally:
        pool.shutdown(cancel_futures=True)


_core_limit: int | None = None


def limit_cores(count: int) -> None:
    """Let `usable_cores` count at most this many, because others share the machine."""
    global _core_limit
    _core_limit = count


def usable_cores() -> int:
    """Number of cores that this process may use; all cores if the system does not say."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(cores, _core_limit or cores)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Make torch use a single thread in each thread that calls it."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
