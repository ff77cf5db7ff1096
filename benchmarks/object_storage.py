"""Measures how fast a training gets its batches from object storage, and how long it waits.

    python benchmarks/object_storage.py [--json FILE] [--rounds N] [--samples N] [--delay S]

An S3 server runs in a process of its own, and takes S seconds longer for each answer. The reader
draws an epoch as the trainer does; for the time of an optimiser step it waits, so that reading
ahead has something to hide behind. The cases take turns:

- the latents on the disk;
- object storage with an empty cache, with a cache of all samples, and with a cache of half of them;
- object storage without reading ahead and without a cache.

A sample has a quarter of the size of Stable Diffusion's latents, 35 KB.
"""

import logging
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path

from inputs import random_latents
from measuring import Row, argument_parser, by_turns, rate_row, report
from row_build import save_rows
from werkzeug.serving import make_server

from albedo_pipeline.params import TrainParams
from albedo_pipeline.runtime.parallel import ordered_map
from albedo_pipeline.runtime.storage import location
from albedo_pipeline.shards import remote_rows
from albedo_pipeline.shards.datasets import LatentShardsDataset
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.training.batches import Stream, usable
from albedo_pipeline.training.log import StepTimer
from albedo_pipeline.training.read_ahead import Work, read_ahead

SIDE = 32
READERS = 2
ROW_BYTES = 2 * (4 + 4) * SIDE * SIDE * 2 + 2 * SIDE * SIDE


def serve(delay: float, port: "Queue[int]") -> None:
    """Serve S3 on this machine, each answer `delay` seconds late."""
    from moto.server import DomainDispatcherApplication, create_backend_app

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    application = DomainDispatcherApplication(create_backend_app)

    def late(*request: object) -> object:
        time.sleep(delay)
        return application(*request)

    server = make_server("127.0.0.1", 0, late, threaded=True)
    port.put(server.server_port)
    server.serve_forever()


def started_server(delay: float) -> BaseProcess:
    """A process that runs `serve`, to which the environment leads this process."""
    context = multiprocessing.get_context("spawn")
    port: Queue[int] = context.Queue()
    server = context.Process(target=serve, args=(delay, port), daemon=True)
    server.start()
    os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    os.environ |= {"AWS_DEFAULT_REGION": "us-east-1"}
    os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port.get()}"
    return server


def new_stream(latents: LatentShards, batch: int, seed: int) -> Stream:
    """The samples of a training in their order."""
    settings = {"effective_batch_size": batch, "micro_batch_size": batch, "max_steps": 1}
    params = settings | {"seed": seed, "learning_rate": {"peak": 1e-4}}
    return Stream([usable(latents, "train")], TrainParams.model_validate(params))


def epoch(stream: Stream, batch: int, step_seconds: float, ahead: Callable) -> tuple[float, float]:
    """Seconds of an epoch, and the share of them that the step waits for its batch."""
    works = ((step, range(batch)) for step in range(len(stream) // batch))
    batches = ordered_map(lambda work: stream.batch(*work), ahead(works, stream.fetch), READERS)
    timer, start = StepTimer(), time.perf_counter()
    for _ in timer.waiting_for(batches):
        time.sleep(step_seconds)
    return time.perf_counter() - start, timer.restart(batch)["waiting_for_data"]


def at_once(works: Iterable[Work], fetch: Callable) -> Iterable[Work]:
    """Yield the works as they are, without reading ahead."""
    return works


def main() -> None:
    """Measure, print the table, and write the JSON file if one is named."""
    parser = argument_parser(__doc__, rounds=5)
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--delay", type=float, default=0.05, help="of each answer, seconds")
    parser.add_argument("--step", type=float, default=0.25, help="of an optimiser step, seconds")
    arguments = parser.parse_args()
    server = started_server(arguments.delay)
    waiting: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        random_latents(Path(name) / "disk", arguments.samples, SIDE)
        disk = LatentShards(Path(name) / "disk")
        remote = _stored(disk, "s3://benchmark/latents")

        def case(label: str, latents: LatentShards, share: float, ahead: Callable) -> float:
            """An epoch; a cache that is named `kept` was filled by the round before."""
            remote_rows._buffer = remote_rows._Buffer(128 * 2**20)
            seed = len(waiting.setdefault(label, []))
            stream = new_stream(latents, arguments.batch, seed)
            limit = int(share * arguments.samples * (ROW_BYTES + 3 * 4096))
            kept = label.startswith("kept")
            with tempfile.TemporaryDirectory() as fresh:
                where = Path(name) / label if kept else Path(fresh)
                with remote_rows.cached(latents.folder, latents.index.shards, where, limit):
                    seconds, share_waited = epoch(stream, arguments.batch, arguments.step, ahead)
            waiting[label].append(share_waited)
            return seconds

        cases = {
            "disk": partial(case, "disk", disk, 0, at_once),
            "empty cache": partial(case, "empty cache", remote, 1, read_ahead),
            "kept, all": partial(case, "kept, all", remote, 1, read_ahead),
            "kept, half": partial(case, "kept, half", remote, 0.5, read_ahead),
            "not read ahead": partial(case, "not read ahead", remote, 0, at_once),
        }
        times = by_turns(cases, arguments.rounds)
    server.kill()
    samples = arguments.samples // arguments.batch * arguments.batch
    rows: dict[str, Row] = {
        label: rate_row(seconds, samples)
        | {"waiting": sorted(waiting[label][1:])[len(seconds) // 2]}
        for label, seconds in times.items()
    }
    speed = {
        label: row["samples_per_s"] / rows["disk"]["samples_per_s"] for label, row in rows.items()
    }
    report(rows, {f"{label}, over disk": ratio for label, ratio in speed.items()}, arguments.json)


def _stored(disk: LatentShards, url: str) -> LatentShards:
    """Copy latents to object storage."""
    folder = location(url)
    folder.fs.mkdir(folder.parts[0].strip("/").removeprefix("s3://"))
    dataset = LatentShardsDataset(filepath=url, samples_per_shard=256)
    rows = (shard.row(i) for shard in disk._shards for i in range(len(shard.scalars)))
    save_rows(dataset, rows, len(disk))
    return dataset.load()


if __name__ == "__main__":
    main()
