"""The masked loss and the min-SNR weights, by hand and at their limits."""

import pytest
import torch

from albedo_pipeline.diffusion.losses import KINDS, masked_loss, min_snr_weight


@pytest.mark.parametrize(("kind", "expected"), [("mse", 5.0), ("l1", 2.0), ("huber", 1.5)])
def test_masked_loss_by_hand(kind: str, expected: float) -> None:
    prediction = torch.zeros(1, 2, 1, 2)
    target = torch.tensor([[[[1.0, 5.0]], [[3.0, 7.0]]]])
    valid = torch.tensor([[[[1, 0]]]])
    # Errors 1 and 3 in the channels of the valid cell; Huber makes them 1/2 and 3 - 1/2.
    assert masked_loss(prediction, target, valid, kind).tolist() == [expected]


@pytest.mark.parametrize("kind", KINDS)
def test_masked_cells_do_not_count_even_if_they_are_not_finite(kind: str) -> None:
    prediction = torch.zeros(1, 2, 1, 2, requires_grad=True)
    target = torch.tensor([[[[2.0, float("nan")]], [[2.0, float("inf")]]]])
    valid = torch.tensor([[[[1, 0]]]])
    loss = masked_loss(prediction, target, valid, kind).sum()
    loss.backward()
    assert loss.isfinite()
    assert (prediction.grad[..., 0] < 0).all()
    assert (prediction.grad[..., 1] == 0).all()


def test_an_empty_mask_gives_zero_and_zero_gradient() -> None:
    prediction = torch.ones(2, 4, 3, 3, requires_grad=True)
    loss = masked_loss(prediction, torch.zeros(2, 4, 3, 3), torch.zeros(2, 1, 3, 3))
    loss.sum().backward()
    assert loss.tolist() == [0, 0]
    assert torch.equal(prediction.grad, torch.zeros_like(prediction))


def test_each_sample_has_its_own_sum() -> None:
    random = torch.Generator().manual_seed(0)
    prediction, target = torch.randn(2, 8, 4, 6, 6, generator=random)
    valid = torch.rand(8, 1, 6, 6, generator=random) > 0.5
    batch = masked_loss(prediction, target, valid)
    for i in range(8):
        alone = masked_loss(prediction[i : i + 1], target[i : i + 1], valid[i : i + 1])
        assert batch[i].item() == pytest.approx(alone.item(), rel=1e-6)


@pytest.mark.parametrize("gamma", [1.0, 5.0])
def test_min_snr_weights_are_those_of_the_paper(gamma: float) -> None:
    alpha_cumprod = torch.tensor([0.001, 0.3, 0.6, 0.95, 0.999], dtype=torch.float64)
    snr = alpha_cumprod / (1 - alpha_cumprod)
    capped = snr.clamp_max(gamma)
    for kind, expected in (
        ("sample", capped),
        ("epsilon", capped / snr),
        ("v_prediction", capped / (snr + 1)),
    ):
        torch.testing.assert_close(min_snr_weight(alpha_cumprod, gamma, kind), expected)


def test_min_snr_weights_at_zero_snr() -> None:
    alpha_cumprod = torch.zeros(1)
    weights = [
        min_snr_weight(alpha_cumprod, 5.0, k).item() for k in ("sample", "epsilon", "v_prediction")
    ]
    assert weights == [0, 1, 0]
