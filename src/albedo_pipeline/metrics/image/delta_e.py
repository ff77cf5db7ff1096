"""Mean CIEDE2000 colour difference over the valid pixels (Sharma, Wu & Dalal 2005)."""

import torch

from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.cielab import ciede2000, decode_srgb, linear_to_lab
from albedo_pipeline.metrics.masked import masked, masked_mean


def masked_delta_e(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """Mean CIEDE2000 of sRGB-encoded images (D65, 2°); about 1 is just noticeable; [B]."""
    first, second = (
        linear_to_lab(decode_srgb(masked(image, valid))) for image in (prediction, truth)
    )
    return masked_mean(ciede2000(first, second).unsqueeze(1), valid)


DELTA_E = Metric(
    name="delta_e",
    label="ΔE00",
    digits=2,
    higher_is_better=False,
    main_order=50,
    function=masked_delta_e,
    colour_space="srgb",
    order=40,
)
