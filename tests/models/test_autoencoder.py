"""The autoencoder: scaling, factor, the latents of encode, the bundled one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from albedo_pipeline.datasets.latent_shards import LatentShardsDataset
from albedo_pipeline.datasets.pair_shards import PairShardsDataset
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.pixels import to_tensor
from albedo_pipeline.models.autoencoder import BUNDLED, decode, encode, factor, load_pretrained
from albedo_pipeline.models.encoding import encoded
from albedo_pipeline.models.statistics import latent_statistics
from albedo_pipeline.params.autoencoder import PretrainedAutoencoder

CPU = torch.device("cpu")


@pytest.fixture
def pairs(tmp_path: Path):
    random = np.random.default_rng(0)
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"), samples_per_shard=2)
    dataset.save(
        {
            "sample_id": f"s{i}",
            "group": f"g{i}",
            "beauty": random.integers(0, 65536, (3, 16, 16)).astype(np.uint16),
            "albedo": random.integers(0, 65536, (3, 16, 16)).astype(np.uint16),
            "valid": (random.random((1, 16, 16)) > 0.1).astype(np.uint8),
        }
        for i in range(5)
    )
    return dataset.load()


@pytest.fixture
def manifest() -> pd.DataFrame:
    splits = ["train", "train", "validation", "train", "test"]
    return pd.DataFrame(
        {
            "row": range(5),
            "sample_id": [f"s{i}" for i in range(5)],
            "group": [f"g{i}" for i in range(5)],
            "split": splits,
        }
    )


@torch.no_grad()
def test_latents_are_scaled_posterior_means(autoencoder) -> None:
    images = torch.rand(2, 3, 16, 16) * 2 - 1
    mean = autoencoder.encode(images).latent_dist.mean
    latents = encode(autoencoder, images)
    assert torch.equal(latents, mean * autoencoder.config.scaling_factor)
    assert factor(autoencoder) == 16 // latents.shape[-1] == 2
    expected = autoencoder.decode(mean).sample.clamp(-1, 1)
    assert torch.allclose(decode(autoencoder, latents), expected, atol=1e-5)


@torch.no_grad()
def test_encode_gives_both_versions_and_their_masks(autoencoder, pairs, manifest, tmp_path) -> None:
    dataset = LatentShardsDataset(filepath=str(tmp_path / "latents"), samples_per_shard=3)
    dataset.save(encoded(pairs, manifest, autoencoder, 2, CPU, "fp32"))
    latents = dataset.load()
    assert latents.rows("train").tolist() == [0, 1, 3]
    assert latents.shape("beauty") == (2, 4, 8, 8)
    image = to_tensor(pairs.batch("albedo", [3]))
    for version, view in enumerate((image, image.flip(-1))):
        expected = encode(autoencoder, view)[0].half().numpy()
        np.testing.assert_allclose(latents.tensor("albedo", 3)[version], expected, atol=2e-3)
    cells = pairs.tensor("valid", 3)[0].reshape(8, 2, 8, 2).min(axis=(1, 3))
    np.testing.assert_array_equal(latents.tensor("valid", 3)[0, 0], cells)
    np.testing.assert_array_equal(latents.tensor("valid", 3)[1, 0], cells[:, ::-1])


def test_statistics_are_of_the_training_split(autoencoder, pairs, manifest, tmp_path) -> None:
    dataset = LatentShardsDataset(filepath=str(tmp_path / "latents"))
    dataset.save(encoded(pairs, manifest, autoencoder, 2, CPU, "fp32"))
    latents = dataset.load()
    statistics = latent_statistics(latents)
    values = np.stack([latents.tensor("beauty", row)[0] for row in (0, 1, 3)]).astype(np.float64)
    assert statistics["samples"] == 3
    np.testing.assert_allclose(statistics["beauty"]["mean"], values.mean(axis=(0, 2, 3)))
    np.testing.assert_allclose(statistics["beauty"]["std"], values.std(axis=(0, 2, 3)))


def test_the_bundled_one_is_small_and_loads() -> None:
    weights = BUNDLED / "diffusion_pytorch_model.safetensors"
    assert weights.stat().st_size <= 4 * 2**20
    assert load_pretrained(PretrainedAutoencoder(model=str(BUNDLED))).dtype == torch.float32


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"autoencoder\.pretrained\.model .*nowhere"):
        load_pretrained(PretrainedAutoencoder(model=str(tmp_path / "nowhere")))
