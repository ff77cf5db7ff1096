"""Stored pixels, image tensors and latent masks."""

import numpy as np
import torch

from albedo_pipeline.imaging.pixels import (
    dequantize,
    latent_mask,
    quantize,
    to_tensor,
)


def test_every_16_bit_value_survives_the_round_trip() -> None:
    values = np.arange(65536, dtype=np.uint16)
    assert np.array_equal(quantize(dequantize(values)), values)
    encoded = (to_tensor(values) + 1) / 2
    assert np.array_equal(quantize(encoded.numpy()), values)


def test_a_latent_cell_is_valid_only_if_all_its_pixels_are() -> None:
    valid = torch.ones(1, 1, 8, 8, dtype=torch.bool)
    valid[0, 0, 5, 2] = False
    cells = latent_mask(valid, 4)
    assert cells.tolist() == [[[[True, True], [False, True]]]]
