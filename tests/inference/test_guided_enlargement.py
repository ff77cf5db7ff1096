"""Guided enlargement: edges of the image stay sharp, and flat parts keep their value."""

import numpy as np

from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.imaging.resize import resize_image
from albedo_pipeline.inference.guided_enlargement import enlarge_guided
from albedo_pipeline.inference.resampling import resized_beauty


def test_an_edge_of_the_image_is_sharper_than_after_bilinear_enlargement() -> None:
    beauty = np.full((120, 160, 3), 0.3, np.float32)
    beauty[:, 83:] = 0.7  # inside a small pixel
    stored = quantize(beauty)
    small = resized_beauty(stored, (30, 40))
    truth = np.full((120, 160, 3), 0.2, np.float32)
    truth[:, 83:] = 0.8
    albedo = resize_image(truth, 30, 40)
    guided = enlarge_guided(albedo, small, stored).astype(np.float32)
    bilinear = resize_image(albedo, 120, 160)
    assert np.abs(guided - truth).mean() < 0.5 * np.abs(bilinear - truth).mean()
    np.testing.assert_allclose(guided[:, :70], 0.2, atol=1e-3)
    np.testing.assert_allclose(guided[:, 100:], 0.8, atol=1e-3)


def test_a_flat_albedo_stays_flat_in_any_light() -> None:
    light = np.linspace(0.1, 0.9, 64, dtype=np.float32)
    stored = quantize(np.broadcast_to(light[None, :, None], (48, 64, 3)))
    guided = enlarge_guided(
        np.full((12, 16, 3), 0.4, np.float32), resized_beauty(stored, (12, 16)), stored
    )
    np.testing.assert_allclose(guided, 0.4, atol=1e-3)
