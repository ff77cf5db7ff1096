"""The shard build of `encode`: latents, masks, statistics, and what is made again."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.io import DatasetError

from albedo_pipeline.imaging.pixels import to_tensor
from albedo_pipeline.models.autoencoder import encode
from albedo_pipeline.preprocessing.encode import LatentBuild
from albedo_pipeline.preprocessing.latent_statistics import latent_statistics
from albedo_pipeline.shards.datasets import LatentShardsDataset, PairShardsDataset
from albedo_pipeline.shards.latent_shards import LatentShards
from benchmarks.row_build import save_rows

CPU = torch.device("cpu")


@pytest.fixture
def pairs(tmp_path: Path):
    random = np.random.default_rng(0)
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"), samples_per_shard=2)
    save_rows(
        dataset,
        [
            {
                "sample_id": f"s{i}",
                "group": f"g{i}",
                "beauty": random.integers(0, 65536, (3, 16, 16)).astype(np.uint16),
                "albedo": random.integers(0, 65536, (3, 16, 16)).astype(np.uint16),
                "valid": (random.random((1, 16, 16)) > 0.1).astype(np.uint8),
            }
            for i in range(5)
        ],
    )
    return dataset.load()


@pytest.fixture
def manifest(pairs) -> pd.DataFrame:
    splits = ["train", "train", "validation", "train", "test"]
    return pd.DataFrame(
        {
            "row": range(5),
            "sample_id": [f"s{i}" for i in range(5)],
            "group": [f"g{i}" for i in range(5)],
            "split": splits,
            "digest": pairs.scalars["digest"].to_pylist(),
        }
    )


@torch.no_grad()
def test_a_row_holds_both_versions_and_their_masks(autoencoder, pairs, manifest, tmp_path) -> None:
    dataset = LatentShardsDataset(filepath=str(tmp_path / "latents"), samples_per_shard=3)
    dataset.save(LatentBuild(pairs, manifest, autoencoder, 2, CPU, "fp32"))
    latents = dataset.load()
    assert latents.rows("train").tolist() == [0, 1, 3]
    assert latents.shapes("beauty").tolist() == [[2, 4, 8, 8]] * 5
    image = to_tensor(pairs.batch("albedo", [3]))
    for version, view in enumerate((image, image.flip(-1))):
        expected = encode(autoencoder, view)[0].half().numpy()
        np.testing.assert_allclose(latents.tensor("albedo", 3)[version], expected, atol=2e-3)
    cells = pairs.tensor("valid", 3)[0].reshape(8, 2, 8, 2).min(axis=(1, 3))
    np.testing.assert_array_equal(latents.tensor("valid", 3)[0, 0], cells)
    np.testing.assert_array_equal(latents.tensor("valid", 3)[1, 0], cells[:, ::-1])


def test_statistics_are_of_the_training_split(autoencoder, pairs, manifest, tmp_path) -> None:
    dataset = LatentShardsDataset(filepath=str(tmp_path / "latents"))
    dataset.save(LatentBuild(pairs, manifest, autoencoder, 2, CPU, "fp32"))
    latents = dataset.load()
    statistics = latent_statistics(latents)
    values = np.stack([latents.tensor("beauty", row)[0] for row in (0, 1, 3)]).astype(np.float64)
    assert statistics["samples"] == 3
    np.testing.assert_allclose(statistics["beauty"]["mean"], values.mean(axis=(0, 2, 3)))
    np.testing.assert_allclose(statistics["beauty"]["std"], values.std(axis=(0, 2, 3)))


def written(folder: Path, *arguments) -> LatentShards:
    dataset = LatentShardsDataset(filepath=str(folder), samples_per_shard=2)
    dataset.save(LatentBuild(*arguments))
    return dataset.load()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_latents_do_not_depend_on_threads(
    autoencoder, pairs, manifest, tmp_path, monkeypatch, threads: int
) -> None:
    written(tmp_path / "one", pairs, manifest, autoencoder, 2, CPU, "fp32")
    monkeypatch.setattr("albedo_pipeline.preprocessing.latent_rows.usable_cores", lambda: threads)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    written(tmp_path / "other", pairs, manifest, autoencoder, 5, CPU, "fp32")
    assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert files(tmp_path / "one") == files(tmp_path / "other")


def test_a_latent_does_not_depend_on_other_samples(autoencoder, pairs, manifest, tmp_path) -> None:
    written(tmp_path / "all", pairs, manifest, autoencoder, 2, CPU, "fp32")
    moved = manifest.assign(split=["train", "test", *manifest["split"][2:]])
    build = LatentBuild(pairs, moved, autoencoder, 2, CPU, "fp32")
    made = []
    make = build.make
    build.make = lambda chunks: make(made.extend(chunk) or chunk for chunk in chunks)
    LatentShardsDataset(filepath=str(tmp_path / "all"), samples_per_shard=2).save(build)
    assert [sample.sample_id for sample in made] == ["s1"]  # the one whose split changed
    written(tmp_path / "again", pairs, moved, autoencoder, 2, CPU, "fp32")
    assert files(tmp_path / "all") == files(tmp_path / "again")


def test_another_encoder_or_precision_has_another_cache_key(autoencoder, pairs, manifest) -> None:
    def cache_key(precision: str) -> str:
        return LatentBuild(pairs, manifest, autoencoder, 2, CPU, precision).cache_key

    first = cache_key("fp32")
    assert cache_key("fp32") == first
    assert cache_key("bf16") != first
    with torch.no_grad():
        autoencoder.decoder.conv_out.weight.add_(1e-3)
    assert cache_key("fp32") == first  # the latents stay valid
    with torch.no_grad():
        autoencoder.encoder.conv_in.weight.add_(1e-3)
    assert cache_key("fp32") != first


def test_images_are_sorted_by_shape(autoencoder, tmp_path) -> None:
    random = np.random.default_rng(0)
    dataset = PairShardsDataset(filepath=str(tmp_path / "shapes"))
    shapes = [(16, 16), (8, 24), (16, 16), (24, 8), (8, 24)]
    save_rows(
        dataset,
        [
            {
                "sample_id": f"s{i}",
                "group": f"g{i}",
                **{
                    n: random.integers(0, 65536, (3, *shape), np.uint16)
                    for n in ("beauty", "albedo")
                },
                "valid": np.ones((1, *shape), np.uint8),
            }
            for i, shape in enumerate(shapes)
        ],
    )
    pairs = dataset.load()
    manifest = pairs.scalars.to_pandas().assign(row=range(5), split="train")
    latents = written(tmp_path / "latents", pairs, manifest, autoencoder, 2, CPU, "fp32")
    assert latents.scalars["sample_id"].to_pylist() == ["s1", "s4", "s0", "s2", "s3"]
    assert latents.shapes("albedo")[:, 2:].tolist() == [[4, 12], [4, 12], [8, 8], [8, 8], [12, 4]]
    expected = encode(autoencoder, to_tensor(pairs.batch("albedo", [3])))[0]
    actual = torch.from_numpy(latents.tensor("albedo", 4)[0].astype(np.float32))
    torch.testing.assert_close(actual, expected.detach(), atol=2e-3, rtol=0)
    counts = {tuple(s["shape"]): s["samples"] for s in latent_statistics(latents)["shapes"]}
    assert counts == {(4, 4, 12): 2, (4, 8, 8): 2, (4, 12, 4): 1}


@pytest.mark.parametrize(
    ("precision", "message"),
    [
        ("bf16", r"encode\.precision: .* not finite in bf16; set fp32"),
        ("fp32", "autoencoder: a latent is"),
    ],
)
def test_latents_that_are_not_finite_are_refused(
    autoencoder, pairs, manifest, tmp_path, precision: str, message: str
) -> None:
    spoilt = deepcopy(autoencoder)
    torch.nn.init.constant_(spoilt.quant_conv.bias, torch.nan)
    with pytest.raises(DatasetError, match=message):
        written(tmp_path / "latents", pairs, manifest, spoilt, 2, CPU, precision)
    assert not (tmp_path / "latents" / "index.json").exists()
