"""The map over the workers of a Ray cluster."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.runtime.parallel import usable_cores
from albedo_pipeline.runtime.ray_pool import Cluster, ray_map


def cluster_at(ray_cluster, workers: int | None = None) -> Cluster:
    return Cluster(ray_cluster.address, workers, 0)


def squared(number: int) -> tuple[int, int, int, str]:
    time.sleep(0.1)
    return number**2, os.getpid(), usable_cores(), os.environ["OMP_NUM_THREADS"]


@pytest.mark.slow
def test_every_item_has_its_result(ray_cluster) -> None:
    results = list(ray_map(squared, range(20), cluster_at(ray_cluster)))
    assert sorted(square for square, *_ in results) == [n**2 for n in range(20)]
    processes = {process for _, process, *_ in results}
    assert len(processes) <= 2
    assert os.getpid() not in processes
    assert {(cores, threads) for _, _, cores, threads in results} == {(1, "1")}


def test_an_error_of_an_item_is_raised_as_it_is(ray_cluster) -> None:
    def refuse(number: int) -> int:
        raise BadSampleError(f"number {number} is odd")

    with pytest.raises(BadSampleError, match=r"^number 7 is odd$"):
        list(ray_map(refuse, [7], cluster_at(ray_cluster)))


@pytest.mark.slow
def test_an_item_whose_worker_dies_goes_to_another_one(ray_cluster, tmp_path: Path) -> None:
    def dies_once(number: int) -> int:
        mark = tmp_path / f"{number}"
        if number % 3 == 0 and not mark.exists():
            mark.touch()
            os._exit(1)
        return number

    assert sorted(ray_map(dies_once, range(7), cluster_at(ray_cluster))) == list(range(7))


@pytest.mark.slow
def test_an_item_over_which_every_worker_dies_stops_the_run(ray_cluster, monkeypatch) -> None:
    monkeypatch.setattr("albedo_pipeline.runtime.ray_pool._DEATHS", 3)
    with pytest.raises(ProjectError, match="3 workers died over the same work"):
        list(ray_map(lambda _: os._exit(1), [1], cluster_at(ray_cluster, 1)))


def test_items_are_taken_when_a_worker_is_free(ray_cluster) -> None:
    taken = []
    results = ray_map(squared, (taken.append(n) or n for n in range(100)), cluster_at(ray_cluster))
    next(results)
    assert len(taken) <= 4
    results.close()


@pytest.mark.slow
def test_without_an_address_ray_starts_here() -> None:
    """In a process of its own, because a process stays connected to one cluster."""
    code = (
        "from albedo_pipeline.runtime.ray_pool import Cluster, ray_map\n"
        "assert list(ray_map(abs, [-2], Cluster(None, 1, 0))) == [2]\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_no_room_for_a_worker_is_an_error(ray_cluster) -> None:
    with pytest.raises(ProjectError, match=r"room for a worker with 1 core\(s\) and 1 GPU"):
        list(ray_map(squared, [1], Cluster(ray_cluster.address, None, 1)))


def test_no_cluster_at_the_address_is_an_error() -> None:
    with pytest.raises(ProjectError, match=r"compute\.address: 127\.0\.0\.1:1: "):
        list(ray_map(squared, [1], Cluster("127.0.0.1:1", None, 0)))


def test_without_ray_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ProjectError, match=r"pip install 'albedo_pipeline\[cluster\]'"):
        list(ray_map(squared, [1], Cluster(None, None, 0)))
