"""Losses of decoded images."""

import pytest
import torch

from albedo_pipeline.diffusion.image_losses import constancy_loss, gradient_loss

RANDOM = torch.Generator().manual_seed(0)
TRUTH = torch.rand(2, 3, 16, 16, generator=RANDOM)
VALID = torch.ones(2, 1, 16, 16, dtype=torch.uint8)


def test_gradients_do_not_see_a_constant() -> None:
    assert gradient_loss(TRUTH + 0.25, TRUTH, VALID, 3) == pytest.approx([0, 0], abs=1e-3)


def test_gradients_of_a_ramp_by_hand() -> None:
    """A ramp of 0.1 a pixel, against a constant: 16 rows x 15 differences x 0.1, one direction."""
    ramp = (torch.arange(16) * 0.1).expand(1, 3, 16, 16)
    loss = gradient_loss(ramp, torch.zeros(1, 3, 16, 16), VALID[:1], 1)
    assert float(loss) == pytest.approx(16 * 15 * 0.1 / 2, rel=1e-5)


def test_a_blurred_edge_costs_more_than_a_sharp_one() -> None:
    edge = (torch.arange(16) >= 8).float().expand(1, 3, 16, 16)
    kernel = torch.ones(3, 1, 1, 5) / 5
    padded = torch.nn.functional.pad(edge, (2, 2, 0, 0), mode="replicate")
    blurred = torch.nn.functional.conv2d(padded, kernel, groups=3)
    sharp, soft = (float(gradient_loss(i, edge, VALID[:1], 3)) for i in (edge, blurred))
    assert sharp == 0 < soft


def test_pixels_that_are_not_valid_do_not_count() -> None:
    valid = VALID.clone()
    valid[:, :, :8] = 0
    spoilt = TRUTH.clone()
    spoilt[:, :, :8] = torch.nan
    prediction = (TRUTH * 0.5).requires_grad_()
    loss = gradient_loss(prediction, spoilt, valid, 3)
    assert torch.equal(loss, gradient_loss(TRUTH * 0.5, TRUTH, valid, 3))
    loss.sum().backward()
    assert prediction.grad.isfinite().all()
    assert not prediction.grad[:, :, :8].any()


def test_a_light_pair_is_compared_where_both_are_valid() -> None:
    images = torch.zeros(4, 3, 4, 4)
    images[1] = 0.5
    images[3] = 0.25
    valid = torch.ones(4, 1, 4, 4, dtype=torch.uint8)
    valid[0, :, 0] = 0
    sums = constancy_loss(images, valid, torch.tensor([False, True, False, False]))
    assert sums.tolist() == pytest.approx([0, 0.5 * 12, 0, 0])
