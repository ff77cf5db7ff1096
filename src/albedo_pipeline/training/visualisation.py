"""The grid of samples that shows how far a training is."""

import numpy as np
import torch

from albedo_pipeline.training.validation import Prediction

_MASKED = 0.5
_GAP = 2  # pixels


def grid(prediction: Prediction) -> np.ndarray:
    """One row a sample: beauty, prediction, truth, error; uint8 [H, W, 3], sRGB-encoded.

    The error is the mean over channels of the absolute difference, white from 0.5 on. Masked
    pixels of truth and error are grey.
    """
    error = (prediction.predicted - prediction.truth).abs().mean(dim=1, keepdim=True) * 2
    error = error.clamp_max(1).expand(-1, 3, -1, -1)
    truth, error = (
        torch.where(prediction.valid, image, _MASKED) for image in (prediction.truth, error)
    )
    cells = torch.stack([prediction.beauty, prediction.predicted, truth, error], dim=1)
    framed = torch.nn.functional.pad(cells, (0, _GAP, 0, _GAP), value=1.0)
    rows, columns, channels, height, width = framed.shape
    image = framed.permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels)
    return (image * 255).round().to(torch.uint8).cpu().numpy()
