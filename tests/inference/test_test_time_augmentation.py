"""Test-time augmentation: what changes, and that the change is undone exactly."""

import numpy as np
import pytest
import torch

from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb
from albedo_pipeline.inference.test_time_augmentation import CHANGES, Change
from albedo_pipeline.params import sampling

CELL = 4


def images(height: int = 9, width: int = 14) -> torch.Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_the_settings_know_how_many_there_are_and_the_first_is_the_image_itself() -> None:
    assert len(CHANGES) == sampling.MOST_AUGMENTATIONS
    assert CHANGES[0].apply(images(), CELL) is not None
    assert torch.equal(CHANGES[0].apply(images(), CELL), images())
    assert len(set(CHANGES)) == len(CHANGES)


@pytest.mark.parametrize("change", [c for c in CHANGES if not c.stops])
@pytest.mark.parametrize("cell", [1, 2, 4, 8])
def test_undoing_gives_the_image_back(change: Change, cell: int) -> None:
    changed = change.apply(images(), cell)
    filled = torch.nn.functional.pad(changed, (0, 3, 0, 5))  # to complete cells
    assert torch.equal(change.undo(filled, cell, 9, 14), images())


def test_a_shift_is_less_than_a_cell_and_repeats_the_border() -> None:
    change = Change(shift=(0.25, 0.75))
    assert change.pixels(CELL) == (1, 3)
    changed = change.apply(images(), CELL)
    assert changed.shape == (2, 3, 10, 17)
    assert torch.equal(changed[..., 0, 3:], images()[..., 0, :])
    assert torch.equal(changed[..., 1:, 2], images()[..., 0])


@pytest.mark.parametrize("stops", [-0.5, 0.5])
def test_an_exposure_multiplies_linear_light_and_clips_at_white(stops: float) -> None:
    changed = Change(stops=stops).apply(images(), CELL)
    light = decode_srgb(((images() + 1) / 2).numpy()) * 2**stops
    expected = encode_srgb(np.minimum(light, 1)) * 2 - 1
    np.testing.assert_allclose(changed.numpy(), expected, atol=1e-5)
    assert (changed.max() > 0.999) == (stops > 0)


def test_the_noise_moves_with_the_image() -> None:
    noise = torch.randn(2, 4, 3, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Change().apply_to_noise(noise, 3, 4), noise)
    changed = Change(flip=True, shift=(0.5, 0.5)).apply_to_noise(noise, 4, 5)
    assert torch.equal(changed[..., :3, :4], noise.flip(-1))
    assert torch.equal(changed[..., 3, :4], noise.flip(-1)[..., 0, :])
    assert torch.equal(changed[..., 4], changed[..., 0])
