"""Baselines: the fitted scale is the best one, and Retinex separates shading from reflectance."""

import numpy as np
import pytest

from albedo_pipeline.evaluation.baselines import baselines, scaled_to_truth
from albedo_pipeline.evaluation.retinex import integrate, neighbour_steps, retinex_reflectance
from albedo_pipeline.imaging.colour import decode_srgb, encode_srgb


def squared_error(estimate, truth, valid) -> float:
    return float(np.square(estimate - truth)[valid].mean())


@pytest.mark.parametrize("scale", [0.013, 0.4, 1.0, 7.3, 150.0])
def test_the_scale_of_a_scaled_truth_is_found(scale: float) -> None:
    linear = np.random.default_rng(0).uniform(0.02, 0.9, (12, 12, 3)).astype(np.float32)
    truth, valid = encode_srgb(linear), np.ones((12, 12), bool)
    assert np.abs(scaled_to_truth(linear * scale, truth, valid) - truth).max() < 1e-3


def test_no_other_scale_is_better() -> None:
    random = np.random.default_rng(1)
    linear = random.uniform(0, 2, (16, 16, 3)).astype(np.float32)
    truth = random.uniform(0, 1, (16, 16, 3)).astype(np.float32)
    valid = random.random((16, 16)) > 0.3
    best = squared_error(scaled_to_truth(linear, truth, valid), truth, valid)
    for scale in np.geomspace(0.01, 100, 400):
        other = encode_srgb(np.clip(linear * scale, 0, 1))
        assert best <= squared_error(other, truth, valid) * 1.0001


def test_masked_pixels_do_not_influence_the_scale() -> None:
    linear = np.full((4, 4, 3), 0.5, np.float32)
    truth, valid = encode_srgb(linear), np.ones((4, 4), bool)
    truth[0], valid[0] = 0, False
    assert np.abs(scaled_to_truth(linear, truth, valid)[1:] - truth[1:]).max() < 1e-3


def test_integrate_inverts_the_differences() -> None:
    image = np.random.default_rng(2).normal(size=(9, 13))
    result = integrate(*neighbour_steps(image))
    np.testing.assert_allclose(result, image - image.mean(), atol=1e-10)


def test_retinex_removes_smooth_light_and_keeps_edges() -> None:
    albedo = np.where(np.arange(32)[None, :, None] < 16, 0.2, 0.7) * np.ones((32, 32, 3))
    light = np.exp(np.linspace(-1, 1, 32))[:, None, None]
    result = retinex_reflectance(albedo * light, intensity_threshold=0.3, chroma_threshold=0.05)
    ratio = result / albedo
    assert ratio.max() / ratio.min() < 1.02


def test_each_baseline_gives_an_estimate_from_the_beauty() -> None:
    beauty = np.random.default_rng(3).uniform(size=(8, 8, 3)).astype(np.float32)
    truth, valid = np.zeros_like(beauty), np.ones((8, 8), bool)
    estimates = {name: f(beauty, truth, valid) for name, f in baselines(0.3, 0.05).items()}
    assert np.array_equal(estimates["beauty_as_albedo"], beauty)
    scaled = decode_srgb(estimates["beauty_best_scale"])
    assert np.ptp(scaled / decode_srgb(beauty)) < 1e-2
    assert all(e.shape == beauty.shape and np.isfinite(e).all() for e in estimates.values())
