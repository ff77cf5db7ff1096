"""A map over the workers of a Ray cluster, which goes on if workers or nodes die.

Ray is an optional package, and is imported only when a map begins.
"""

import logging
import os
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.runtime.parallel import limit_cores

A = TypeVar("A")
B = TypeVar("B")
logger = logging.getLogger(__name__)
_DEATHS = 10
"""Number of workers that may die over one item before the run stops."""
_connections: dict[str, str | None] = {}
"""The address that this module connected the process to."""
_PATIENCE = 60.0
"""Seconds without any worker after which the log says that none has started."""


@dataclass(frozen=True)
class Cluster:
    """Where the workers run, and what each of them takes."""

    address: str | None
    """Address of a running cluster; None starts Ray on this machine, until the process ends."""
    workers: int | None
    """Number of workers; None: as many as the cluster has room for when the map begins."""
    gpus: float
    """GPUs, or the share of a GPU, of each worker."""
    threads: int = 1
    """Threads that each worker computes with; it takes as many cores, if a node has them."""


def ray_map(function: Callable[[A], B], items: Iterable[A], cluster: Cluster) -> Iterator[B]:
    """Yield the result of every item, in the order in which they are finished.

    Each worker is a Ray actor that has one item at a time, so items are taken, and results are
    held, for as many items as there are workers. The item of a worker that dies goes to another
    one; so the work on an item may be done twice, and has to leave the same files each time.

    Args:
        function: is called for each item; it is sent to each worker once, with all that it holds.
        items: arguments of the calls, each of which is sent to a worker.
        cluster: where the workers run.

    Raises:
        ProjectError: if Ray is not installed, there is no cluster at the address or no room in it,
            or the workers die over one item again and again.
        Exception: what a call raised in a worker.
    """
    ray = _connected(cluster.address)
    cores, workers = _size(ray, cluster)
    # The bits of some results depend on torch's number of threads, which this variable sets.
    environment = {"env_vars": {"OMP_NUM_THREADS": str(cluster.threads)}}
    actor = ray.remote(num_cpus=cores, num_gpus=cluster.gpus, runtime_env=environment)(_Worker)
    pool: _Pool[A] = _Pool(ray, actor.remote, ray.put(function), cluster.threads)
    yield from pool.map(iter(items), workers)


class _Worker:
    """Runs in a process of its own."""

    def prepare(self, function: list, threads: int) -> None:
        import ray

        limit_cores(threads)
        self._function = ray.get(function[0])

    def call(self, item: Any) -> Any:
        return self._function(item)


@dataclass
class _Job(Generic[A]):
    """An item, and how often a worker died over it."""

    item: A
    deaths: int = 0


class _Pool(Generic[A]):
    """The workers of a map, and what they are working on."""

    def __init__(
        self, ray: Any, new_worker: Callable[[], Any], function: Any, threads: int
    ) -> None:
        self._ray, self._new_worker = ray, new_worker
        self._function, self._threads = function, threads
        self._busy: dict[Any, tuple[Any, _Job[A] | None]] = {}
        """By reference of a call: its worker and its job; None while the worker prepares."""
        self._idle: list[Any] = []
        self._waiting: deque[_Job[A]] = deque()
        self._deaths = 0

    def map(self, items: Iterator[A], workers: int) -> Iterator[Any]:
        for _ in range(workers):
            self._start_worker()
        try:
            while self._assign(items):
                for call in self._finished_calls():
                    yield from self._results(call)
        finally:
            for worker in [*self._idle, *(worker for worker, _ in self._busy.values())]:
                self._ray.kill(worker)

    def _start_worker(self) -> None:
        worker = self._new_worker()
        self._busy[worker.prepare.remote([self._function], self._threads)] = (worker, None)

    def _assign(self, items: Iterator[A]) -> bool:
        """Give jobs to the idle workers; whether anything is left to do or to wait for."""
        while self._next_job(items) and self._idle:
            worker, job = self._idle.pop(), self._waiting.popleft()
            self._busy[worker.call.remote(job.item)] = (worker, job)
        return bool(self._waiting) or any(job for _, job in self._busy.values())

    def _next_job(self, items: Iterator[A]) -> bool:
        """Whether a job is waiting; one is taken from the items if none is."""
        if not self._waiting:
            self._waiting.extend(_Job(item) for item in islice(items, 1))
        return bool(self._waiting)

    def _finished_calls(self) -> list:
        done, _ = self._ray.wait(list(self._busy), num_returns=1, timeout=_PATIENCE)
        if not done and not any(job for _, job in self._busy.values()):
            logger.warning("compute: no worker has started yet; are the cluster's cores in use?")
        return done

    def _results(self, call: Any) -> list:
        """The result of a finished call, if it has one."""
        worker, job = self._busy.pop(call)
        try:
            result = self._ray.get(call)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except self._ray.exceptions.RayError as error:  # the worker or its node is dead
            self._replace(job, one_line(error))
            return []
        self._idle.append(worker)
        return [result] if job else []

    def _replace(self, job: _Job[A] | None, reason: str) -> None:
        """Start a worker in place of one that died, and give its job to another one.

        Raises:
            ProjectError: if too many died over this job, or before they had prepared.
        """
        if job:
            job.deaths += 1
            self._waiting.appendleft(job)
        else:
            self._deaths += 1
        if (job.deaths if job else self._deaths) >= _DEATHS:
            raise ProjectError(f"compute: {_DEATHS} workers died over the same work ({reason})")
        logger.warning("compute: a worker died, its work is given to another one (%s)", reason)
        self._start_worker()


def _connected(address: str | None) -> Any:
    """The package Ray, connected to a cluster until the process ends or needs another one.

    Workers that were started after several connections in one process have died at once (Ray
    2.60), and a connection takes seconds.

    Raises:
        ProjectError: if Ray is not installed, or there is no cluster at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray sends usage data unless told not to
    try:
        import ray
    except ImportError as error:
        raise ProjectError(
            "compute.engine: ray is not installed; run pip install 'albedo_pipeline[cluster]'"
        ) from error
    if ray.is_initialized() and _connections.get("address", address) == address:
        return ray
    try:
        _check_reachable(address)
        ray.shutdown()
        ray.init(
            address or "local",  # without an address Ray would look for a running cluster
            configure_logging=False,
            log_to_driver=False,
            include_dashboard=None if address else False,
            runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(_own_paths())}},
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise ProjectError(f"compute.address: {address}: {one_line(error)}") from error
    _connections["address"] = address
    return ray


def _check_reachable(address: str | None) -> None:
    """Raise OSError if nothing answers at `HOST:PORT`; Ray itself would wait for minutes."""
    host, _, port = (address or "").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


def _own_paths() -> list[str]:
    """The folders that this process imports from, without those of Python and its environment."""
    installed = (sys.prefix, sys.base_prefix, sys.base_exec_prefix)
    folders = (str(Path(path).absolute()) for path in sys.path if Path(path).is_dir())
    return [folder for folder in folders if not folder.startswith(installed)]


def _size(ray: Any, cluster: Cluster) -> tuple[int, int]:
    """Cores of a worker, and the number of workers.

    Raises:
        ProjectError: if no node has the GPUs that a worker needs.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    cores = int(min(cluster.threads, max(node.get("CPU", 0) for node in nodes))) or 1
    rooms = [node.get("CPU", 0) // cores for node in nodes]
    if cluster.gpus:
        rooms = [
            min(room, node.get("GPU", 0) // cluster.gpus)
            for room, node in zip(rooms, nodes, strict=True)
        ]
    if not cluster.workers and not sum(rooms):
        raise ProjectError(
            f"compute: no node of the cluster has room for a worker with {cores} core(s) and "
            f"{cluster.gpus:g} GPU(s); if nodes are added on demand, set compute.workers"
        )
    return cores, cluster.workers or int(sum(rooms))
