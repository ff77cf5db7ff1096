"""Ensembles: noise that belongs to a sample, and members combined by hand."""

import pytest
import torch

from albedo_pipeline.inference.ensemble import combine, ensemble_noise, sample_noise

MEMBERS = torch.tensor([[1.0, 2.0, 4.0, 9.0]])


def test_noise_belongs_to_the_sample_and_not_to_the_batch() -> None:
    together = sample_noise(1, ["a", "b"], 0, (4, 2, 2))
    assert torch.equal(together[1:], sample_noise(1, ["b"], 0, (4, 2, 2)))
    assert not torch.equal(together[0], together[1])
    assert not torch.equal(together[:1], sample_noise(1, ["a"], 1, (4, 2, 2)))


def test_ensemble_noise_holds_the_noise_of_each_member() -> None:
    noise = ensemble_noise(1, ["a", "b"], 3, (4, 2, 2))
    assert noise.shape == (2, 3, 4, 2, 2)
    for member in range(3):
        assert torch.equal(noise[:, member], sample_noise(1, ["a", "b"], member, (4, 2, 2)))


def test_the_mean_comes_with_the_standard_deviation() -> None:
    prediction, uncertainty = combine(MEMBERS, "mean")
    assert prediction.tolist() == [4.0]
    assert uncertainty.item() == pytest.approx((38 / 3) ** 0.5)  # 9 + 4 + 0 + 25, over n - 1


def test_the_lower_median_comes_with_the_median_absolute_deviation() -> None:
    prediction, uncertainty = combine(MEMBERS, "median")
    assert prediction.tolist() == [2.0]
    assert uncertainty.tolist() == [1.0]  # the lower median of 1, 0, 2 and 7


@pytest.mark.parametrize("reduction", ["mean", "median"])
def test_one_member_has_no_uncertainty(reduction: str) -> None:
    prediction, uncertainty = combine(MEMBERS[:, 3:], reduction)
    assert prediction.tolist() == [9.0]
    assert uncertainty is None
