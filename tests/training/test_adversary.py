"""The adversary of the autoencoder: its losses by hand, its weight, and when it learns."""

import math
from contextlib import nullcontext
from copy import deepcopy

import pytest
import torch

from albedo_pipeline.models.discriminator import Discriminators, smallest_side
from albedo_pipeline.params.autoencoder_training import Adversary as AdversaryParams
from albedo_pipeline.runtime.distributed import accelerated
from albedo_pipeline.training.adversary import (
    Adversary,
    discriminator_loss,
    generator_loss,
    interpolated_penalty,
    r1_penalty,
)
from albedo_pipeline.training.image_batches import ImageBatch

CPU = torch.device("cpu")


def logits(*values: float) -> list[torch.Tensor]:
    """Logits of one image at several scales, one patch each."""
    return [torch.full((1, 1, 1, 1), value) for value in values]


def batch(images: torch.Tensor) -> ImageBatch:
    """Images with an arbitrary mix; the noise is not used."""
    return ImageBatch(images, torch.zeros(1), torch.full((len(images),), 0.5))


def softplus(value: float) -> float:
    return math.log1p(math.exp(value))


def test_the_hinge_loss_by_hand() -> None:
    real, fake = logits(0.5, 2.0), logits(-0.5, 1.0)
    assert generator_loss(fake, "hinge").item() == pytest.approx(-0.25)
    # true images: (0.5 + 0) / 2; reconstructions: (0.5 + 2) / 2
    assert discriminator_loss(real, fake, "hinge").item() == pytest.approx(0.25 + 1.25)


def test_the_non_saturating_loss_by_hand() -> None:
    real, fake = logits(0.5), logits(-0.5)
    kind = "non_saturating"
    assert generator_loss(fake, kind).item() == pytest.approx(softplus(0.5))
    both = softplus(-0.5) + softplus(-0.5)
    assert discriminator_loss(real, fake, kind).item() == pytest.approx(both)


def test_the_wasserstein_loss_by_hand() -> None:
    real, fake = logits(0.5, 2.0), logits(-0.5, 1.0)
    assert generator_loss(fake, "wasserstein").item() == pytest.approx(-0.25)
    assert discriminator_loss(real, fake, "wasserstein").item() == pytest.approx(0.25 - 1.25)


def test_a_wasserstein_critic_needs_the_interpolated_penalty() -> None:
    for penalty in (None, {"kind": "r1"}):
        with pytest.raises(ValueError, match=r"'wasserstein' needs .*kind: interpolated"):
            AdversaryParams(kind="wasserstein", gradient_penalty=penalty)


def test_the_loss_of_a_batch_is_the_sum_of_its_images_means() -> None:
    two = [torch.tensor([1.0, 3.0, 5.0, 7.0]).view(2, 1, 1, 2)]
    assert generator_loss(two, "hinge").item() == pytest.approx(-(2 + 6))


def test_the_r1_penalty_by_hand() -> None:
    class Linear(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
            return [3 * images[:, :1], 4 * images[:, 1:2]]

    # Each of the 2 x 4 pixels has the gradient (3, 4, 0).
    assert r1_penalty(Linear(), torch.zeros(2, 3, 2, 2)).item() == pytest.approx(8 * 25 / 2)


def test_the_interpolated_penalty_by_hand() -> None:
    class Square(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
            return [images[:, :1].square(), 3 * images[:, :1].square()]

    # The mean logit of a pixel x is 2 x^2, its gradient 4 x, and x is 1 * mix + 0 * (1 - mix).
    true, made = torch.ones(2, 3, 1, 1), torch.zeros(2, 3, 1, 1)
    penalty = interpolated_penalty(Square(), true, made, torch.tensor([0.25, 1.0]))
    assert penalty.item() == pytest.approx((4 * 0.25 - 1) ** 2 + (4 * 1.0 - 1) ** 2)


@pytest.mark.parametrize(("scales", "layers"), [(1, 1), (2, 2), (3, 1)])
def test_the_smallest_image_has_one_patch_at_the_last_scale(scales: int, layers: int) -> None:
    side = smallest_side(scales, layers)
    logits = Discriminators(scales, 8, layers)(torch.zeros(1, 3, side, side))
    assert len(logits) == scales
    assert logits[-1].shape == (1, 1, 1, 1)
    with pytest.raises(RuntimeError):
        Discriminators(scales, 8, layers)(torch.zeros(1, 3, side // 2, side // 2))


def test_the_logits_of_an_image_do_not_depend_on_its_batch() -> None:
    torch.manual_seed(0)
    networks, images = Discriminators(2, 8, 1), torch.rand(3, 3, 16, 16)
    for alone, together in zip(networks(images[1:2]), networks(images), strict=True):
        assert torch.allclose(alone, together[1:2], atol=1e-6)


def test_the_adaptive_weight_is_the_ratio_of_the_gradients_of_the_step_before() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(3, 3, 1)
    params = AdversaryParams(weight=0.5, scales=1, channels=8, layers=1, gradient_penalty=None)
    images = torch.rand(4, 3, 16, 16)
    with accelerated("cpu", "fp32", deterministic=False) as accelerator:
        adversary = Adversary(params, layer.weight, CPU, nullcontext, "adversary")
        networks = deepcopy(adversary.networks)
        for part in (images[:1], images[1:]):  # two micro-batches
            output = layer(part)
            error = (output - part).square().sum()
            weighted, _ = adversary.losses(batch(part), output, error, 0)
            assert weighted.item() == 0  # nothing is measured yet
        skipped = adversary.update(accelerator, 4, 1.0, 0, 10, torch.zeros(()))
    assert skipped == 0
    output = layer(images)
    error = (output - images).square().sum() / 4
    (others,) = torch.autograd.grad(error, layer.weight, retain_graph=True)
    (adversarial,) = torch.autograd.grad(
        generator_loss(networks(output), "hinge") / 4, layer.weight
    )
    expected = others.norm() / (adversarial.norm() + 1e-4)
    assert adversary.adaptive_weight.item() == pytest.approx(expected.item(), rel=1e-4)
    weighted, parts = adversary.losses(batch(images), layer(images), layer(images).sum(), 1)
    assert weighted.item() == pytest.approx(
        0.5 * expected.item() * parts["adversarial"].item(), rel=1e-4
    )


def test_a_step_whose_gradient_is_not_finite_changes_nothing() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(3, 3, 1)
    params = AdversaryParams(scales=1, channels=8, layers=1)
    with accelerated("cpu", "fp32", deterministic=False) as accelerator:
        adversary = Adversary(params, layer.weight, CPU, nullcontext, "adversary")
        before = {n: t.clone() for n, t in adversary.opponents().weights.items()}
        images = torch.full((1, 3, 16, 16), torch.nan)
        adversary.losses(batch(images), layer(images), layer(images).sum(), 0)
        skipped = adversary.update(accelerator, 1, 1.0, 0, 10, torch.zeros(()))
    assert skipped == 1
    after = adversary.opponents().weights
    assert all(torch.equal(before[name], after[name]) for name in before)
