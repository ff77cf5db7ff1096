"""Marigold's metrics, compared with values of torchmetrics, and SSIM also with scipy."""

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d

from albedo_pipeline.metrics.image.marigold import MARIGOLD_PSNR, MARIGOLD_SSIM


def pattern() -> tuple[torch.Tensor, torch.Tensor]:
    """Linear prediction and truth [1, 3, 40, 52], without a random generator."""
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(52.0), indexing="ij")
    channel = torch.arange(3.0).view(3, 1, 1)
    truth = (0.5 + 0.4 * torch.sin(x / 5 + channel) * torch.cos(y / 7 - channel))[None]
    return (truth + 0.1 * torch.sin(x * y / 11 + channel)).clamp(0, 1), truth


@pytest.mark.parametrize(
    ("hole", "psnr", "ssim"),
    [(False, 25.072969, 0.668905), (True, 24.910255, 0.753351)],
    ids=["InteriorVerse: no mask", "Hypersim: masked"],
)
def test_psnr_and_ssim_equal_torchmetrics(hole, psnr, ssim) -> None:
    """Values of torchmetrics 1.9.0 in float32, called as Marigold's compute_iid_metric calls it:

    power 1 / 2.2, PeakSignalNoiseRatio(data_range=1.0) of the valid values, and
    StructuralSimilarityIndexMeasure(data_range=1.0) with 0 at the masked pixels.
    """
    prediction, truth = pattern()
    valid = torch.ones(1, 1, 40, 52, dtype=torch.bool)
    if hole:
        valid[..., 10:25, 20:40] = False
    assert MARIGOLD_PSNR.function(prediction, truth, valid).item() == pytest.approx(psnr, abs=1e-5)
    assert MARIGOLD_SSIM.function(prediction, truth, valid).item() == pytest.approx(ssim, abs=1e-5)


def test_ssim_equals_scipys_filters() -> None:
    """The formula of torchmetrics; the border mode `reflect` of torch is `mirror` in scipy."""
    encoded = [image[0].double().numpy() ** (1 / 2.2) for image in pattern()]
    window = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window /= window.sum()

    def mean(image):
        across = correlate1d(image, window, axis=1, mode="mirror")
        return correlate1d(across, window, axis=2, mode="mirror")

    x, y = encoded
    var_x, var_y = mean(x * x) - mean(x) ** 2, mean(y * y) - mean(y) ** 2
    covariance = mean(x * y) - mean(x) * mean(y)
    expected = (2 * mean(x) * mean(y) + 1e-4) * (2 * covariance + 9e-4)
    expected /= (mean(x) ** 2 + mean(y) ** 2 + 1e-4) * (var_x + var_y + 9e-4)
    valid = torch.ones(1, 1, 40, 52, dtype=torch.bool)
    score = MARIGOLD_SSIM.function(*pattern(), valid).item()
    assert score == pytest.approx(expected.mean(), abs=1e-9)


def test_a_larger_mask_raises_the_ssim() -> None:
    """The known flaw of zero-filling, which the module's docstring describes."""
    prediction, truth = pattern()
    scores = []
    for columns in (0, 20, 40):
        valid = torch.ones(1, 1, 40, 52, dtype=torch.bool)
        valid[..., :columns] = False
        scores.append(MARIGOLD_SSIM.function(prediction, truth, valid).item())
    assert scores[0] < scores[1] < scores[2]
