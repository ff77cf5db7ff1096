"""Masked SSIM: against scikit-image, and how it takes a mask."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from albedo_pipeline.metrics.image.ssim import SSIM, similarity_map


def test_it_is_that_of_scikit_image(noisy_images) -> None:
    """Away from the border, where the two treat the outside differently."""
    prediction, truth, valid = noisy_images(1, side=48)
    _, theirs = structural_similarity(
        truth[0].permute(1, 2, 0).double().numpy(),
        prediction[0].permute(1, 2, 0).double().numpy(),
        channel_axis=-1,
        data_range=1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    ours = similarity_map(prediction, truth, valid)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours[5:-5, 5:-5], theirs[5:-5, 5:-5], atol=1e-6)


def test_equal_images_score_one(noisy_images) -> None:
    _, truth, valid = noisy_images(2)
    assert SSIM.function(truth, truth, valid).item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("margin", [0, 2, 6])
def test_images_that_differ_inside_the_mask_alone_score_one(noisy_images, margin) -> None:
    """However far the mask reaches beyond the difference: windows across its edge see nothing."""
    _, truth, valid = noisy_images(3, side=48)
    prediction = truth.clone()
    prediction[..., 18:30, 18:30] = 1 - prediction[..., 18:30, 18:30]
    valid[..., 18 - margin : 30 + margin, 18 - margin : 30 + margin] = False
    assert SSIM.function(prediction, truth, valid).item() == pytest.approx(1, abs=1e-9)


def test_a_growing_mask_leaves_what_is_out_of_its_reach_as_it_was(noisy_images) -> None:
    """Noisy images: pixels a window's radius (5) from the mask keep their similarity, the mean of
    those nearer stays about what it was, and does not rise towards 1 as zero-filling makes it."""
    prediction, truth, valid = noisy_images(4, side=64)
    whole = similarity_map(prediction, truth, valid)
    for side in (8, 16, 24):
        start = (64 - side) // 2
        hole = valid.clone()
        hole[..., start : start + side, start : start + side] = False
        near = valid.clone()
        near[..., start - 5 : start + side + 5, start - 5 : start + side + 5] = False
        masked = similarity_map(prediction, truth, hole)
        far = near.expand_as(whole)
        torch.testing.assert_close(masked[far], whole[far], rtol=0, atol=1e-12)
        rim = (hole & ~near).expand_as(whole)
        assert masked[rim].mean().item() == pytest.approx(whole[rim].mean().item(), abs=0.02)
