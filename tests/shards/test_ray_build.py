"""Shard builds on Ray: the bytes of a local build, whatever happens to the nodes."""

import random
import threading
from pathlib import Path

import pytest

from albedo_pipeline.params.compute import ComputeParams
from albedo_pipeline.shards.datasets import ShardsDataset
from tests.support.ray_cluster import NODE
from tests.support.squares import Squares, values


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def save(tmp_path: Path, ray_cluster):
    """Saves a build in a folder and returns the folder's files."""

    def save(name: str, build: Squares) -> dict[str, bytes]:
        ShardsDataset(filepath=str(tmp_path / name), samples_per_shard=8).save(build)
        return content(tmp_path / name)

    return save


@pytest.fixture
def compute(ray_cluster) -> ComputeParams:
    return ComputeParams(engine="ray", address=ray_cluster.address)


def test_the_bytes_are_those_of_a_local_build(save, compute: ComputeParams) -> None:
    local = save("local", Squares(values(100)))
    assert save("two", Squares(values(100), compute=compute)) == local
    one = compute.model_copy(update={"workers": 1})
    assert save("one", Squares(values(100), compute=one)) == local


def test_only_what_changed_is_made(save, compute: ComputeParams, caplog) -> None:
    before = save("changed", Squares(values(100) | {"s7": 50, "s66": 4}))
    caplog.set_level("INFO")
    after = save("changed", Squares(values(100), compute=compute))
    assert "squares: 2 of 100 samples to make" in caplog.text
    assert after == save("local", Squares(values(100))) != before


def test_too_many_rejections_stop_it(save, compute: ComputeParams, tmp_path: Path) -> None:
    build = Squares(values(100), compute=compute)
    build.most = 3
    with pytest.raises(Exception, match="4 are rejected"):
        save("refused", build)
    assert not (tmp_path / "refused" / "index.json").exists()


@pytest.mark.slow
def test_nodes_that_are_killed_change_nothing(
    save, compute: ComputeParams, ray_cluster, tmp_path: Path
) -> None:
    local = save("local", Squares(values(150)))
    ended, killed = threading.Event(), []
    rng = random.Random(0)

    nodes = [ray_cluster.add_node(**NODE) for _ in range(3)]

    def kill_nodes() -> None:
        while nodes and not ended.wait(rng.uniform(0.5, 1.5)):
            ray_cluster.remove_node(nodes.pop(), allow_graceful=False)
            killed.append(len(written()))

    def written() -> list[Path]:
        return list((tmp_path / "killed").glob("shard-*.arrow"))

    killer = threading.Thread(target=kill_nodes)
    killer.start()
    try:
        assert save("killed", Squares(values(150), compute=compute, seconds=0.15)) == local
    finally:
        ended.set()
        killer.join()
    assert len(killed) == 3
    assert killed[0] < len(written())
    assert not list((tmp_path / "killed").glob(".*"))
