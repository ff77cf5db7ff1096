"""The training of the autoencoder: it learns, is repeatable, and scales the latents."""

from pathlib import Path

import numpy as np
import pytest
import torch

from albedo_pipeline.diffusion.seeds import Purpose, generator
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.evaluation.round_trip import round_trip_report
from albedo_pipeline.imaging.pixels import quantize, to_tensor
from albedo_pipeline.models.autoencoder import new_autoencoder
from albedo_pipeline.params import AutoencoderParams
from albedo_pipeline.params.autoencoder import AutoencoderTraining
from albedo_pipeline.shards.datasets import PairShardsDataset
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.training.autoencoder import (
    draw_images,
    latent_deviation,
    obtain_autoencoder,
    reconstruction_loss,
    train_autoencoder,
)

CPU = torch.device("cpu")
ROWS = np.arange(6)


def training(**changes) -> AutoencoderTraining:
    settings = {"block_out_channels": (8, 16), "max_steps": 5, "batch_size": 4}
    return AutoencoderTraining.model_validate(settings | changes)


@pytest.fixture
def pairs(tmp_path: Path) -> PairShards:
    """Six samples of smooth gradients with a dark beauty and a bright albedo."""
    ramp = np.linspace(0, 0.4, 16, dtype=np.float32)
    dataset = PairShardsDataset(filepath=str(tmp_path / "pairs"))
    dataset.save(
        {
            "sample_id": f"s{i}",
            "group": f"g{i}",
            "beauty": quantize(np.broadcast_to(ramp * (i + 1) / 6, (3, 16, 16))),
            "albedo": quantize(np.broadcast_to(1 - ramp * (i + 1) / 6, (3, 16, 16))),
            "valid": np.ones((1, 16, 16), np.uint8),
        }
        for i in range(6)
    )
    return dataset.load()


def test_beauty_and_albedo_alternate(pairs) -> None:
    images = draw_images(pairs, ROWS, 6, 8, generator(0, Purpose.AUTOENCODER, 0))
    assert images.shape == (6, 3, 8, 8)
    assert (images[0::2].mean(dim=(1, 2, 3)) < 0).all()
    assert (images[1::2].mean(dim=(1, 2, 3)) > 0).all()


def test_an_untrained_autoencoder_is_nearly_deterministic_and_linear() -> None:
    torch.manual_seed(0)
    autoencoder = new_autoencoder(training())
    posterior = autoencoder.encode(torch.rand(1, 3, 16, 16) * 2 - 1).latent_dist
    assert posterior.std.max() < 0.2
    branches = [p for n, p in autoencoder.named_parameters() if ".conv2." in n]
    assert branches
    assert all(not p.any() for p in branches)


def test_the_loss_by_hand() -> None:
    class Exact(torch.nn.Module):
        """An encoder with mean 2 and variance 1, and a decoder that copies the latent."""

        def encode(self, x):
            mean = torch.full((1, 1, 1, 1), 2.0)
            posterior = type("P", (), {"mean": mean, "logvar": torch.zeros(1, 1, 1, 1)})()
            return type("E", (), {"latent_dist": posterior})()

        def decode(self, z):
            return type("D", (), {"sample": z.expand(1, 3, 1, 1)})()

    images = torch.full((1, 3, 1, 1), 2.5)
    # reconstruction (2 - 2.5)^2 = 0.25; KL (4 + 1 - 1 - 0) / 2 = 2
    loss = reconstruction_loss(Exact(), images, torch.zeros(1, 1, 1, 1), kl_weight=0.1)
    assert loss.item() == pytest.approx(0.45)


def test_it_learns(pairs) -> None:
    scores = []
    for steps in (1, 150):
        autoencoder = train_autoencoder(
            pairs, ROWS, training(max_steps=steps, learning_rate={"warmup_steps": 5}), CPU, "fp32"
        )
        report = round_trip_report(autoencoder, pairs, ROWS, AutoencoderParams(device="cpu"))
        scores.append(report["validation_albedo_psnr"])
    assert scores[1] > scores[0] + 6


def test_the_same_settings_give_the_same_weights_bit_for_bit(pairs) -> None:
    one, two = (train_autoencoder(pairs, ROWS, training(), CPU, "bf16") for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert one.config.scaling_factor == two.config.scaling_factor


def test_scaled_latents_have_a_mean_square_of_one(pairs) -> None:
    autoencoder = train_autoencoder(pairs, ROWS, training(crop=8), CPU, "fp32")
    deviation = latent_deviation(autoencoder, pairs, ROWS, CPU)
    assert deviation * autoencoder.config.scaling_factor == pytest.approx(1, rel=1e-5)


def test_the_autoencoder_comes_from_the_configured_source(pairs, tmp_path: Path) -> None:
    torch.manual_seed(3)
    local = new_autoencoder(training())
    local.save_pretrained(tmp_path / "local" / "vae")
    pretrained = {"model": str(tmp_path / "local"), "subfolder": "vae"}
    params = AutoencoderParams(source="pretrained", pretrained=pretrained)
    loaded = obtain_autoencoder(pairs, ROWS, params, CPU)
    image = to_tensor(pairs.batch("albedo", [0]))
    with torch.no_grad():
        assert torch.equal(loaded(image).sample, local.eval()(image).sample)
    bundled = obtain_autoencoder(pairs, ROWS, AutoencoderParams(source="bundled"), CPU)
    assert bundled.config.latent_channels == 4


@pytest.mark.parametrize("crop", [9, 32])
def test_a_crop_that_does_not_fit_is_named(pairs, crop: int) -> None:
    with pytest.raises(ProjectError, match=f"autoencoder.training.crop: {crop} must be a multiple"):
        train_autoencoder(pairs, ROWS, training(crop=crop), CPU, "fp32")


def test_images_that_do_not_fit_the_latent_cells_are_named(pairs) -> None:
    torch.manual_seed(0)
    coarse = new_autoencoder(training(block_out_channels=(8,) * 6))  # factor 32, images of 16
    message = "images of 16 x 16 pixels cannot be encoded: the autoencoder needs multiples of 32"
    with pytest.raises(ProjectError, match=message):
        round_trip_report(coarse, pairs, ROWS, AutoencoderParams(device="cpu"))


def test_a_training_that_diverged_is_refused(pairs) -> None:
    diverging = training(learning_rate={"peak": 1e30, "warmup_steps": 0})
    with pytest.raises(ProjectError, match=r"diverged.*lower autoencoder\.training\.learning_rate"):
        train_autoencoder(pairs, ROWS, diverging, CPU, "fp32")


def test_a_round_trip_that_is_not_finite_is_refused(pairs) -> None:
    torch.manual_seed(0)
    autoencoder = new_autoencoder(training())
    torch.nn.init.constant_(autoencoder.decoder.conv_out.bias, torch.nan)
    with pytest.raises(ProjectError, match="autoencoder: gives images that are not finite"):
        round_trip_report(autoencoder, pairs, ROWS, AutoencoderParams(device="cpu"))
