"""The masked loss: by hand, and what must not change it."""

import torch

from albedo_pipeline.diffusion.losses import masked_squared_error


def test_by_hand() -> None:
    prediction = torch.zeros(1, 2, 1, 2)
    target = torch.tensor([[[[1.0, 5.0]], [[3.0, 7.0]]]])
    valid = torch.tensor([[[[1, 0]]]])
    # the first cell alone: (1 + 9) / 2 channels
    assert masked_squared_error(prediction, target, valid).item() == 5.0


def test_masked_cells_do_not_count_even_if_not_finite() -> None:
    prediction = torch.zeros(1, 2, 1, 2, requires_grad=True)
    target = torch.tensor([[[[1.0, float("nan")]], [[1.0, float("inf")]]]])
    valid = torch.tensor([[[[1, 0]]]])
    loss = masked_squared_error(prediction, target, valid)
    loss.backward()
    assert loss.item() == 1.0
    assert prediction.grad.tolist() == [[[[-1.0, 0.0]], [[-1.0, 0.0]]]]


def test_an_empty_mask_gives_zero_and_zero_gradient() -> None:
    prediction = torch.ones(2, 4, 3, 3, requires_grad=True)
    loss = masked_squared_error(prediction, torch.zeros(2, 4, 3, 3), torch.zeros(2, 1, 3, 3))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(prediction.grad, torch.zeros_like(prediction))


def test_the_sum_does_not_depend_on_the_split() -> None:
    random = torch.Generator().manual_seed(0)
    prediction, target = torch.randn(2, 8, 4, 6, 6, generator=random)
    valid = torch.rand(8, 1, 6, 6, generator=random) > 0.5
    whole = masked_squared_error(prediction, target, valid)
    parts = sum(
        masked_squared_error(prediction[i : i + 2], target[i : i + 2], valid[i : i + 2])
        for i in range(0, 8, 2)
    )
    assert torch.allclose(whole, parts, rtol=1e-6)
