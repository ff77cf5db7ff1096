"""Masked SSIM, compared with scikit-image, and its treatment of masked pixels."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from albedo_pipeline.metrics.image.ssim import SSIM, similarity_map


def test_it_equals_scikit_image_away_from_the_border(noisy_images) -> None:
    """At the border the two treat pixels outside the image differently."""
    prediction, truth, valid = noisy_images(1, side=48)
    _, expected = structural_similarity(
        truth[0].permute(1, 2, 0).double().numpy(),
        prediction[0].permute(1, 2, 0).double().numpy(),
        channel_axis=-1,
        data_range=1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    similarity = similarity_map(prediction, truth, valid)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(similarity[5:-5, 5:-5], expected[5:-5, 5:-5], atol=1e-6)


def test_equal_images_score_one(noisy_images) -> None:
    _, truth, valid = noisy_images(2)
    assert SSIM.function(truth, truth, valid).item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("margin", [0, 2, 6])
def test_images_that_differ_only_at_masked_pixels_score_one(noisy_images, margin) -> None:
    """This holds for any margin: a window across the mask's edge sees only its valid pixels."""
    _, truth, valid = noisy_images(3, side=48)
    prediction = truth.clone()
    prediction[..., 18:30, 18:30] = 1 - prediction[..., 18:30, 18:30]
    valid[..., 18 - margin : 30 + margin, 18 - margin : 30 + margin] = False
    assert SSIM.function(prediction, truth, valid).item() == pytest.approx(1, abs=1e-9)


def test_a_mask_changes_only_pixels_within_a_windows_radius(noisy_images) -> None:
    """Pixels farther than a window's radius (5) from the mask keep their similarity. The mean of
    those nearer stays about the same; with zero-filling it would rise towards 1."""
    prediction, truth, valid = noisy_images(4, side=64)
    unmasked = similarity_map(prediction, truth, valid)
    for side in (8, 16, 24):
        start = (64 - side) // 2
        hole = valid.clone()
        hole[..., start : start + side, start : start + side] = False
        near = valid.clone()
        near[..., start - 5 : start + side + 5, start - 5 : start + side + 5] = False
        masked = similarity_map(prediction, truth, hole)
        far = near.expand_as(unmasked)
        torch.testing.assert_close(masked[far], unmasked[far], rtol=0, atol=1e-12)
        rim = (hole & ~near).expand_as(unmasked)
        assert masked[rim].mean().item() == pytest.approx(unmasked[rim].mean().item(), abs=0.02)
