"""What the benchmarks share: cases in turns, rows of the table, and the file of the result."""

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from threading import Event, Thread

import psutil

Row = dict[str, float]


def argument_parser(description: str | None, rounds: int) -> argparse.ArgumentParser:
    """A parser with the options of every benchmark."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the result to this file")
    parser.add_argument("--rounds", type=int, default=rounds, help="times that each case runs")
    return parser


def machine(device: str = "") -> str:
    """Processor, number of cores, accelerator (if `device` names one) and Python's version."""
    processor = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    parts = (processor, device, f"Python {platform.python_version()}")
    return ", ".join(part for part in parts if part)


def by_turns(
    cases: Mapping[str, Callable[[], float]], rounds: int, warmup: int = 1
) -> dict[str, list[float]]:
    """Seconds of every case in every round.

    The cases take turns, so that other work of the machine slows all of them alike. Every second
    round runs in reverse order, so that no case always follows the same one.

    Args:
        cases: functions that run a case and return its seconds.
        warmup: rounds before the measured ones.
    """
    times: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(-warmup, rounds):
        for name in list(cases)[:: -1 if number % 2 else 1]:
            seconds = cases[name]()
            if number >= 0:
                times[name].append(seconds)
    return times


def spread(values: list[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def rate_row(seconds: list[float], samples: int) -> Row:
    """Milliseconds and rate of a case that processes `samples` samples in each of `seconds`."""
    low, middle, high = spread(seconds)
    return {
        "median_ms": middle * 1e3,
        "quartile1_ms": low * 1e3,
        "quartile3_ms": high * 1e3,
        "samples_per_s": samples / middle,
    }


def paired_ratio(times: list[float], others: list[float]) -> float:
    """Median of the ratios of the rounds, from which the slowdown of a round cancels."""
    return statistics.median(a / b for a, b in zip(times, others, strict=True))


def resident() -> float:
    """Resident memory of this process, MiB."""
    return psutil.Process().memory_info().rss / 2**20


def memory_row(work: Callable[[], object], every: float = 0.01) -> Row:
    """Resident memory before `work`, at most during it, and after it, MiB.

    Args:
        every: seconds between two measurements during the work.
    """
    before, highest, done = resident(), 0.0, Event()

    def watch() -> None:
        nonlocal highest
        while not done.wait(every):
            highest = max(highest, resident())

    watcher = Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return {"before_mib": before, "highest_mib": highest, "after_mib": resident()}


def in_fresh_process(work: Callable[..., Row], *arguments: object) -> Row:
    """The result of `work` in a new process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *arguments).result()


def memory_rows(
    pairs: int, prepare: Callable[[Path, int], object], work: Callable[[Path], Row]
) -> tuple[dict[str, Row], dict[str, float]]:
    """Memory of new processes that work on N and on 10 N pairs.

    Args:
        pairs: N.
        prepare: writes a number of pairs to a folder.
        work: measures the memory of work on a folder.

    Returns:
        The rows, and the ratio of the two highest values.
    """
    rows = {}
    for count in (pairs, 10 * pairs):
        with tempfile.TemporaryDirectory() as name:
            prepare(Path(name), count)
            rows[f"memory, {count} pairs"] = in_fresh_process(work, Path(name))
    small, large = rows.values()
    return rows, {"highest_memory_10n_over_n": large["highest_mib"] / small["highest_mib"]}


def report(
    rows: dict[str, Row], ratios: dict[str, float], path: Path | None, device: str = ""
) -> None:
    """Print rows and ratios, and write them to `path` unless it is None."""
    width = max(map(len, [*rows, *ratios]))
    for name, row in rows.items():
        cells = "  ".join(f"{key} {value:.5g}" for key, value in row.items())
        print(f"{name:{width}}  {cells}")
    for name, ratio in ratios.items():
        print(f"{name:{width}}  {ratio:.4g}")
    if path:
        result = {"machine": machine(device), "rows": rows, "ratios": ratios}
        path.write_text(json.dumps(result, indent=2), encoding="utf-8")
