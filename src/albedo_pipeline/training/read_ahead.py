"""Reading the samples of the next micro-batches from object storage before they are drawn."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from albedo_pipeline.runtime.storage import PARALLEL_REQUESTS

Work = tuple[int, range]
"""An optimiser step, and places in its effective batch."""
SAMPLES_AHEAD = 256
"""Number of samples that are read ahead. With 16 requests of 50 ms at a time, it takes 0.8 s to
read them."""


def read_ahead(works: Iterable[Work], fetch: Callable[[int, int], None]) -> Generator[Work]:
    """Yield the works in their order, each when all its samples were fetched.

    The order of the samples is a function of the step, so the next ones are known.

    Args:
        works: steps and places, in the order in which they are drawn.
        fetch: reads the sample at a step and a place.
    """
    waiting: deque[tuple[Work, list[Future[None]]]] = deque()
    samples = 0
    pool = ThreadPoolExecutor(PARALLEL_REQUESTS, "fetch")
    try:
        for work in works:
            step, places = work
            waiting.append((work, [pool.submit(fetch, step, place) for place in places]))
            samples += len(places)
            while samples > SAMPLES_AHEAD and len(waiting) > 1:
                samples -= len(waiting[0][1])
                yield _fetched(waiting.popleft())
        while waiting:
            yield _fetched(waiting.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def _fetched(waiting: tuple[Work, list[Future[None]]]) -> Work:
    work, fetches = waiting
    for fetch in fetches:
        fetch.result()
    return work
