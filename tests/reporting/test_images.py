"""Small pictures: rounding, hatching and the budget."""

import numpy as np
import pytest

from albedo_pipeline.imaging.colormap import error_picture
from albedo_pipeline.reporting.images import image_thumbnail, png_uri, side_within_budget


def test_stored_pixels_are_rounded_to_8_bits() -> None:
    stored = np.array([0, 128, 129, 257, 65535, 65406], np.uint16).reshape(1, 1, 6)
    picture = image_thumbnail(np.broadcast_to(stored.transpose(0, 2, 1), (3, 6, 6)), 6)
    assert picture[:, 0, 0].tolist() == [0, 0, 1, 1, 255, 254]


def test_invalid_pixels_are_grey_in_the_error_picture() -> None:
    picture = error_picture(np.ones((4, 4)), np.eye(4, dtype=bool))
    grey = (picture == picture[..., :1]).all(axis=-1)
    assert (grey == ~np.eye(4, dtype=bool)).all()


@pytest.mark.parametrize(("side", "pictures"), [(768, 48), (64, 800), (2048, 4)])
def test_images_of_noise_stay_within_the_budget(side: int, pictures: int) -> None:
    shown = side_within_budget(side, pictures, 1_000_000)
    noise = np.random.default_rng(0).integers(0, 256, (shown, shown, 3), dtype=np.uint8)
    assert pictures * len(png_uri(noise)) <= 1_000_000
