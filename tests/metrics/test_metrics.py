"""Properties of every registered metric; a new one is tested here without a change."""

import math
import warnings

import pytest
import torch

from albedo_pipeline.metrics.base import MARIGOLD_IID, OURS
from albedo_pipeline.metrics.registry import image_metrics

METRICS = {metric.name: metric for metric in image_metrics()}
RENORMALISED = [metric for metric in image_metrics(OURS) if metric.load_weights is None]


@pytest.fixture(params=METRICS)
def metric(request, lpips_file):
    return METRICS[request.param].with_weights(lpips_file)


def test_a_metric_belongs_to_a_protocol_and_a_colour_space(metric) -> None:
    assert metric.protocol in (OURS, MARIGOLD_IID)
    assert metric.colour_space in ("srgb", "linear")
    assert metric.label


def test_a_metric_is_scale_invariant_if_it_says_so(metric, noisy_images) -> None:
    prediction, truth, valid = noisy_images(2)
    scores = [metric.function(scale * prediction, truth, valid).item() for scale in (1, 0.9)]
    assert (scores[1] == pytest.approx(scores[0], rel=1e-5)) == metric.scale_invariant


def test_there_is_one_float64_per_sample(metric, noisy_images) -> None:
    score = metric.function(*noisy_images(0))
    assert score.shape == (1,)
    assert score.dtype == torch.float64


def test_a_better_prediction_scores_better(metric, noisy_images) -> None:
    prediction, truth, valid = noisy_images(1)
    near = truth + (prediction - truth) / 4
    near, far = (metric.function(image, truth, valid).item() for image in (near, prediction))
    assert near > far if metric.higher_is_better else near < far


def test_masked_pixels_do_not_count(metric, noisy_images) -> None:
    """Whatever the masked pixels of either image are, also NaN and infinity; bit for bit."""
    prediction, truth, valid = noisy_images(3)
    valid[..., :10] = False
    before = metric.function(prediction, truth, valid)
    assert before.isfinite().all()
    for changed_image in (0, 1):
        changed = [prediction.clone(), truth.clone()]
        changed[changed_image][..., :10] = torch.rand(1, 3, 32, 10)
        changed[changed_image][..., 0] = torch.nan
        changed[changed_image][..., 1] = torch.inf
        assert torch.equal(before, metric.function(*changed, valid))


@pytest.mark.parametrize("renormalised", RENORMALISED, ids=lambda metric: metric.name)
def test_a_uniform_error_scores_the_same_under_any_mask(renormalised) -> None:
    """With zero-filling, the score of constant images would improve with the masked area.

    A metric that judges edges gives NaN under all masks, because the masks make no edge."""
    prediction, truth = torch.full((1, 3, 40, 40), 0.6), torch.full((1, 3, 40, 40), 0.5)
    scores = []
    for columns in (0, 10, 25):
        valid = torch.ones(1, 1, 40, 40, dtype=torch.bool)
        valid[..., :columns] = False
        scores.append(renormalised.function(prediction, truth, valid).item())
    assert scores == pytest.approx(scores[:1] * 3, abs=1e-6, nan_ok=True)


def test_without_a_valid_pixel_the_score_is_nan_and_nothing_warns(metric, noisy_images) -> None:
    prediction, truth, valid = noisy_images(4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        score = metric.function(prediction, truth, torch.zeros_like(valid))
    assert math.isnan(score.item())


def test_the_samples_of_a_batch_are_independent(metric, noisy_images) -> None:
    """One of the samples has no valid pixel, which must not change the others."""
    a, b = noisy_images(5), noisy_images(6)
    c = (b[0], b[1], torch.zeros_like(b[2]))
    together = [torch.cat(three) for three in zip(a, b, c, strict=True)]
    alone = torch.cat([metric.function(*sample) for sample in (a, b, c)])
    torch.testing.assert_close(
        metric.function(*together), alone, rtol=1e-6, atol=1e-9, equal_nan=True
    )


def test_images_of_one_pixel_are_accepted(metric) -> None:
    pixel = torch.full((1, 3, 1, 1), 0.5)
    metric.function(pixel, pixel / 2, torch.ones(1, 1, 1, 1, dtype=torch.bool))
