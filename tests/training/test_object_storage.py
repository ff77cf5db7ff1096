"""Training from object storage: the weights of a training from the disk."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from albedo_pipeline.artifacts.checkpoints import CheckpointsDataset
from albedo_pipeline.artifacts.tensorboard import TensorBoardDataset
from albedo_pipeline.runtime import remote_folder
from albedo_pipeline.runtime.storage import location
from albedo_pipeline.shards import remote_rows
from albedo_pipeline.shards.datasets import LatentShardsDataset
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.training import read_ahead as read_ahead_module
from albedo_pipeline.training.denoiser import train_denoiser
from albedo_pipeline.training.read_ahead import read_ahead
from albedo_pipeline.training.stopping import Paused
from benchmarks.row_build import save_rows
from tests.support.training import call_in_step


@pytest.fixture
def stored(latents: LatentShards, folder_url: str) -> LatentShards:
    """The latents of the disk, in object storage."""
    dataset = LatentShardsDataset(filepath=f"{folder_url}/latents", samples_per_shard=5)
    shards = latents._shards
    save_rows(dataset, (shard.row(i) for shard in shards for i in range(len(shard.scalars))))
    return dataset.load()


def test_weights_are_those_of_the_disk_and_so_after_a_resume_on_another_machine(
    train: Callable, stored: LatentShards, images, train_params: Callable, folder_url: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    rate = {"peak": 1e-3, "decay": "constant"}
    expected = train("disk", max_steps=4, learning_rate=rate).denoiser.unet.state_dict()
    limit = 60_000
    checkpoints = CheckpointsDataset(filepath=f"{folder_url}/checkpoints")
    for machine, steps in (("one", 2), ("another", 4)):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / machine))
        monkeypatch.setattr(remote_rows, "_buffer", remote_rows._Buffer(0))
        params = train_params(
            max_steps=steps,
            learning_rate=rate,
            cache={"gigabytes": limit / 1e9, "folder": str(tmp_path / machine / "rows")},
        )
        store, events = checkpoints.load(), tmp_path / "events"
        result = train_denoiser({"latents": stored}, images, params, store, events)
        rows = [p for p in (tmp_path / machine / "rows").rglob("*") if p.is_file()]
        assert 0 < sum(path.stat().st_blocks * 512 for path in rows) <= limit
    assert result.log["step"].tolist() == [1, 2, 3, 4]
    weights = result.denoiser.unet.state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in expected.items())
    assert not (location(folder_url) / ".checkpoints.lease").is_file()


def test_a_pause_while_the_store_fails_is_a_pause_and_the_next_run_sends(
    stored: LatentShards, images, train_params: Callable, folder_url: str, cache_folder: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    params = train_params(max_steps=5, checkpoints={"every": 1, "keep_last": 9})
    checkpoints = CheckpointsDataset(filepath=f"{folder_url}/checkpoints")
    events = TensorBoardDataset(filepath=f"{folder_url}/events")

    def run() -> None:
        train_denoiser({"latents": stored}, images, params, checkpoints.load(), events.load())

    def refuse(*given: object) -> None:
        raise OSError("SlowDown")

    with monkeypatch.context() as patch:

        def fail_and_pause() -> None:
            patch.setattr(remote_folder, "_send_file", refuse)
            os.kill(os.getpid(), signal.SIGTERM)

        call_in_step(patch, 2, fail_and_pause)
        with pytest.raises(Paused):
            run()
    errors = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert any(f"{folder_url}/checkpoints: not written (SlowDown); the files" in e for e in errors)
    assert any(f"{folder_url}/events: not written (SlowDown)" in error for error in errors)
    assert checkpoints.load().steps() == [1, 2, 3]
    kept = {path.name for path in events.load().rglob("events*")}
    assert kept
    run()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_folder / "another-machine"))
    assert checkpoints.load().steps() == [1, 2, 3, 4, 5]
    assert kept < {path.name for path in events.load().rglob("events*")}


def test_a_row_is_requested_once_if_there_is_room(
    stored: LatentShards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3_server
) -> None:
    monkeypatch.setattr(remote_rows, "_buffer", remote_rows._Buffer(0))
    with remote_rows.cached(stored.folder, stored.index.shards, tmp_path / "rows", 10**6):
        first = [stored.tensor("beauty", row) for row in range(len(stored))]
        before = s3_server.requests
        assert all((stored.tensor("beauty", row) == t).all() for row, t in enumerate(first))
        assert s3_server.requests == before
    stored.tensor("beauty", 0)
    assert s3_server.requests > before


def test_samples_are_fetched_ahead_in_the_order_of_the_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(read_ahead_module, "SAMPLES_AHEAD", 8)
    fetched: set[tuple[int, int]] = set()
    lock = threading.Lock()

    def fetch(step: int, place: int) -> None:
        with lock:
            fetched.add((step, place))

    works = [(step, range(4)) for step in range(6)]
    given = []
    for step, places in read_ahead(works, fetch):
        given.append((step, places))
        assert {(step, place) for place in places} <= fetched
        assert max(s for s, _ in fetched) <= step + 2
    assert given == works


def test_an_error_of_a_fetch_ends_the_reading() -> None:
    def fetch(step: int, place: int) -> None:
        if (step, place) == (1, 2):
            raise OSError("no answer")

    works = read_ahead([(step, range(4)) for step in range(3)], fetch)
    assert next(works) == (0, range(4))
    with pytest.raises(OSError, match="no answer"):
        next(works)
