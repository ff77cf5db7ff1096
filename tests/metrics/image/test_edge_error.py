"""Edge error by hand, under blur, and at the mask's border."""

import math

import pytest
import torch
from torch.nn.functional import conv2d, pad

from albedo_pipeline.metrics.image.edge_error import EDGE_ERROR, RADIUS


def score(prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor | None = None):
    if valid is None:
        valid = torch.ones_like(truth[:, :1], dtype=torch.bool)
    return EDGE_ERROR.function(prediction, truth, valid).item()


def grey(*rows: list[float]) -> torch.Tensor:
    """Rows of grey pixels => [1, 3, H, W]."""
    return torch.tensor(rows).expand(1, 3, -1, -1).clone()


def tiles(seed: int, size: int) -> torch.Tensor:
    """Squares of random colours, [1, 3, 64, 64]."""
    random = torch.Generator().manual_seed(seed)
    colours = torch.rand(1, 3, 64 // size, 64 // size, generator=random)
    return colours.repeat_interleave(size, 2).repeat_interleave(size, 3)


def blurred(image: torch.Tensor, sigma: float) -> torch.Tensor:
    radius = math.ceil(4 * sigma)
    x = torch.arange(-radius, radius + 1.0)
    profile = torch.exp(-(x**2) / (2 * sigma**2))
    profile = (profile / profile.sum()).expand(3, 1, 1, -1)
    padded = pad(image, [radius] * 4, mode="replicate")
    return conv2d(conv2d(padded, profile, groups=3), profile.transpose(2, 3), groups=3)


def test_by_hand() -> None:
    """Columns 1 to 6 are within 2 pixels of the edge between columns 3 and 4. Truth: one
    difference, 0.4. Prediction: 0.1, 0.2 and 0.1 around it, and 0.3 at 0 to 1, too far to count.
    sqrt((0.1² + 0.2² + 0.1²) / 0.4²) = sqrt(0.375)."""
    truth = grey([0.2, 0.2, 0.2, 0.2, 0.6, 0.6, 0.6, 0.6])
    prediction = grey([0.5, 0.2, 0.2, 0.3, 0.5, 0.6, 0.6, 0.6])
    assert score(prediction, truth) == pytest.approx(math.sqrt(0.375), abs=1e-6)
    turned = [image.transpose(2, 3) for image in (prediction, truth)]
    assert score(*turned) == pytest.approx(math.sqrt(0.375), abs=1e-6)
    mirrored = [image.flip(3) for image in (prediction, truth)]
    assert score(*mirrored) == pytest.approx(math.sqrt(0.375), abs=1e-6)


def test_one_channel_makes_an_edge_and_all_channels_count() -> None:
    """Truth: 0.3 in one channel, 0.09 in another. Prediction: the second one is missing."""
    truth = torch.full((1, 3, 1, 2), 0.5)
    truth[0, 0, 0, 1], truth[0, 1, 0, 1] = 0.8, 0.59
    prediction = truth.clone()
    prediction[0, 1] = 0.5
    assert score(prediction, truth) == pytest.approx(0.09 / math.hypot(0.3, 0.09), abs=1e-6)


@pytest.mark.parametrize("size", [2, 4, 16])
def test_known_predictions(size: int) -> None:
    truth = tiles(0, size)
    assert score(truth, truth) == 0
    assert score(truth + 0.3, truth) == pytest.approx(0, abs=1e-6)
    assert score(torch.full_like(truth, 0.5), truth) == pytest.approx(1)
    assert score(truth / 2, truth) == pytest.approx(0.5)
    assert score(2 * truth, truth) == pytest.approx(1)
    assert score(1 - truth, truth) == pytest.approx(2)


@pytest.mark.parametrize("size", [1, 2, 4, 16, 32])
def test_more_blur_scores_worse_and_no_blur_worse_than_a_constant_image(size: int) -> None:
    truth = tiles(1, size)
    scores = [score(blurred(truth, sigma), truth) for sigma in (0.3, 0.5, 0.7, 1, 1.5, 2, 4, 8)]
    assert scores == sorted(scores)
    assert scores[0] < 0.2
    assert 0.5 < scores[3] < scores[-1] <= 1 + 1e-6


def test_a_blurred_step_equals_the_equation() -> None:
    """A Gaussian's taps g take the place of the difference 1: sqrt((1 - g0)² + 2 (g1² + g2²))."""
    truth = torch.zeros(1, 3, 9, 40)
    truth[..., 20:] = 1
    g = [math.exp(-(k**2) / 2) for k in range(RADIUS + 1)]
    total = sum(math.exp(-(k**2) / 2) for k in range(-4, 5))
    g0, g1, g2 = (tap / total for tap in g)
    expected = math.sqrt((1 - g0) ** 2 + 2 * (g1**2 + g2**2))
    assert score(blurred(truth, 1), truth) == pytest.approx(expected, abs=1e-5)


def test_an_edge_in_the_wrong_place_scores_worse_than_none() -> None:
    truth = torch.zeros(1, 3, 9, 40)
    truth[..., 20:] = 1
    assert score(truth.roll(1, dims=3)[..., 2:-2], truth[..., 2:-2]) == pytest.approx(math.sqrt(2))


def test_an_image_without_an_edge_gives_nan() -> None:
    ramp = torch.linspace(0, 1, 16).expand(1, 3, 4, 16)  # steps of 0.067
    assert math.isnan(score(torch.zeros_like(ramp), ramp))


def test_the_border_of_the_mask_is_no_edge_and_hides_edges() -> None:
    """The only edge touches the mask; so there is none, whatever the mask hides."""
    truth = grey([0.2, 0.2, 0.9, 0.9, 0.9])
    valid = torch.tensor([[[[True, True, False, True, True]]]])
    assert math.isnan(score(truth, truth, valid))


def test_differences_across_masked_pixels_do_not_count() -> None:
    """An edge in the first row; in the second row, below it, all pixels but one are masked."""
    truth = grey([0.2, 0.2, 0.6, 0.6], [0.2, 0.2, 0.6, 0.6])
    prediction = grey([0.2, 0.2, 0.4, 0.4], [0.2, 0.2, 0.6, 0.6])
    valid = torch.tensor([[[[True] * 4, [True, False, False, False]]]])
    assert score(prediction, truth, valid) == pytest.approx(0.5, abs=1e-6)
