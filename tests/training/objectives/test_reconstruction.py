"""The loss of the autoencoder's reconstruction."""

import pytest
import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

from albedo_pipeline.metrics.image.lpips import lpips_distance
from albedo_pipeline.params.autoencoder_training import ReconstructionLoss
from albedo_pipeline.training.image_batches import ImageBatch
from albedo_pipeline.training.objectives.reconstruction import ReconstructionObjective, RoundTrip


class Exact(torch.nn.Module):
    """An encoder with mean 2 and variance 1, and a decoder that copies the latent."""

    def encode(self, images: torch.Tensor):
        moments = torch.tensor([2.0, 0.0]).view(1, 2, 1, 1).expand(len(images), -1, 1, 1)
        return type("E", (), {"latent_dist": DiagonalGaussianDistribution(moments)})()

    def decode(self, latents: torch.Tensor):
        return type("D", (), {"sample": latents.expand(-1, 3, 2, 2)})()


IMAGES = torch.full((2, 3, 2, 2), 2.5)
NOISE = torch.tensor([0.0, 0.25]).view(2, 1, 1, 1)
BATCH = ImageBatch(IMAGES, NOISE, torch.zeros(2))


def losses(trains_encoder: bool = True, step: int = 0, **weights):
    """Loss, and parts by name, as means over the two images."""
    objective = ReconstructionObjective(ReconstructionLoss(**weights), trains_encoder, None)
    found = objective.losses(RoundTrip(Exact(), trains_encoder), BATCH, step)
    assert found.count == 2
    means = (found.part_totals / found.part_counts).tolist()
    return float(found.total / found.count), dict(zip(objective.part_names, means, strict=True))


def test_the_terms_by_hand() -> None:
    """The two reconstructions are 2 and 2.25; KL is (4 + 1 - 1 - 0) / 2."""
    _, parts = losses(gradient_weight=1.0)
    assert parts["mse"] == pytest.approx((0.25 + 0.0625) / 2)
    assert parts["l1"] == pytest.approx((0.5 + 0.25) / 2)
    assert parts["kl"] == pytest.approx(2)
    assert parts["gradients"] == 0


def test_the_loss_is_the_weighted_sum() -> None:
    total, parts = losses(mse_weight=2.0, l1_weight=3.0, kl_weight=0.1)
    expected = 2 * parts["mse"] + 3 * parts["l1"] + 0.1 * parts["kl"]
    assert total == pytest.approx(expected)


def test_lpips_is_a_weighted_term_whose_gradient_is_finite(lpips_weights) -> None:
    """Also where no feature is active: the biases of the first layer are far below 0."""
    dead = {**lpips_weights, "features.0.bias": torch.full((64,), -1e3)}
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    batch = ImageBatch(images, torch.zeros(1), torch.zeros(2))
    for weights in (lpips_weights, dead):
        reconstruction = (images * 0.5).requires_grad_()
        statistics = torch.zeros(2, 1, 1, 1), torch.zeros(2, 1, 1, 1)
        params = ReconstructionLoss(mse_weight=0, lpips_weight=3.0)
        objective = ReconstructionObjective(params, False, None, weights)
        found = objective.losses(lambda *_: (reconstruction, *statistics), batch, 0)  # noqa: B023
        found.total.backward()
        first, second = (reconstruction.detach() + 1) / 2, (images + 1) / 2
        distance = lpips_distance(weights, first, second).sum()
        parts = dict(zip(objective.part_names, found.part_totals, strict=True))
        assert parts["lpips"] == pytest.approx(distance.item(), rel=1e-6)
        assert found.total.item() == pytest.approx(3 * distance.item(), rel=1e-6)
        assert reconstruction.grad is not None
        assert reconstruction.grad.isfinite().all()
        assert bool(reconstruction.grad.any()) == (weights is lpips_weights)


def test_a_weight_may_vary_with_the_step() -> None:
    weights = {"mse_weight": (2, 1.0, 0.0, 4), "l1_weight": (2, 0.0, 1.0, 4), "kl_weight": 0}
    for step, share in ((0, 0.0), (3, 0.5), (9, 1.0)):
        total, parts = losses(step=step, **weights)
        assert total == pytest.approx((1 - share) * parts["mse"] + share * parts["l1"])


def test_a_frozen_encoder_gives_the_mean_and_no_kl_term() -> None:
    total, parts = losses(trains_encoder=False, kl_weight=1.0)
    assert parts["mse"] == total == pytest.approx(0.25)


def test_a_loss_without_an_image_term_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot all be 0"):
        ReconstructionLoss(mse_weight=0)
