"""Tiles: whole coverage, no seams, the tone of the whole picture."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.imaging.resize import resize_image
from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.inference.noise_field import field_noise
from albedo_pipeline.inference.tiled_prediction import (
    TiledPrediction,
    predict_picture,
    processing_size,
)
from albedo_pipeline.inference.tiling import axis_tiles, blend, enlarged, tone_gain
from albedo_pipeline.models.albedo_model import AlbedoModel, load_albedo_model
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.params.sampling import Sampling
from tests.support.marigold import save_marigold

LAYOUT = TiledPrediction(resolution=32, tile=32, overlap=0.25)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> AlbedoModel:
    folder = save_marigold(tmp_path_factory.mktemp("marigold"))
    return load_albedo_model(PretrainedModel(model=str(folder)))


def estimating(model: AlbedoModel, **sampling) -> Estimator:
    settings = {"steps": 1, "seed": 1, "batch_size": 2} | sampling
    return Estimator.owning(model, torch.device("cpu"), Sampling(**settings))


def scene(height: int, width: int) -> np.ndarray:
    """uint16 [H, W, 3]: soft light over coloured patches."""
    random = np.random.default_rng(3)
    patches = random.uniform(0.2, 0.9, (height // 11 + 1, width // 11 + 1, 3))
    patches = np.kron(patches, np.ones((11, 11, 1)))[:height, :width]
    return quantize(patches * np.linspace(0.6, 1, width)[:, None])


@pytest.mark.parametrize("length", [1, 31, 32, 33, 47, 56, 57, 63, 64, 100, 101, 1000])
@pytest.mark.parametrize(("overlap", "cell"), [(0.25, 8), (0.5, 2), (0.1, 1)])
def test_tiles_cover_an_axis_and_their_weights_add_up_to_one(length, overlap, cell) -> None:
    axis = axis_tiles(length, 32, overlap, cell)
    total = np.zeros(length)
    for part, weights in zip(axis.parts, axis.weights, strict=True):
        assert part.start % cell == 0
        assert 0 < part.stop - part.start <= 32
        assert len(weights) == part.stop - part.start
        assert weights.min() > 0
        total[part] += weights
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert (axis.parts[0].start, axis.parts[-1].stop) == (0, length)
    shared = [a.stop - b.start for a, b in zip(axis.parts, axis.parts[1:], strict=False)]
    assert all(pixels >= overlap * 32 - cell for pixels in shared)


def test_blended_parts_of_a_picture_are_the_picture() -> None:
    picture = np.random.default_rng(0).random((75, 101, 3), np.float32)
    down, across = axis_tiles(75, 32, 0.5, 2), axis_tiles(101, 32, 0.25, 2)
    tiles = (picture[rows, columns] for rows in down.parts for columns in across.parts)
    np.testing.assert_allclose(blend(down, across, 3, tiles), picture, atol=1e-3)


def test_a_part_is_enlarged_as_the_whole_is() -> None:
    small = np.random.default_rng(0).random((7, 9, 3), np.float32)
    whole = resize_image(small, 40, 61)
    part = enlarged(small, 40, 61, slice(5, 20), slice(30, 61))
    np.testing.assert_allclose(part, whole[5:20, 30:61], atol=1e-5)


def test_the_gain_is_the_tones_ratio_robust_and_limited() -> None:
    tile = np.full((64, 64, 3), 0.3, np.float32)
    wanted = tile * np.float32([0.8, 1.0, 1.5])
    wanted[:16, :16] = 1  # an object that only one of them sees
    np.testing.assert_allclose(tone_gain(tile, wanted), [0.8, 1, 1.5], atol=0.01)
    np.testing.assert_array_equal(tone_gain(tile, tile * 100), 2)
    np.testing.assert_array_equal(tone_gain(tile, tile * 0), 0.5)


def test_any_part_of_the_noise_is_a_part_of_one_field() -> None:
    whole = field_noise(1, "a", 2, 4, slice(0, 150), slice(0, 200))
    part = field_noise(1, "a", 2, 4, slice(60, 70), slice(100, 150))
    assert torch.equal(part, whole[:, :, 60:70, 100:150])
    assert abs(whole.mean()) < 0.01
    assert abs(whole.std() - 1) < 0.01
    assert not torch.equal(whole[0], whole[1])
    assert not torch.equal(whole[:, :, :64, :64], whole[:, :, 64:128, :64])
    for seed, name in ((2, "a"), (1, "b")):
        assert not torch.equal(field_noise(seed, name, 2, 4, slice(60, 70), slice(100, 150)), part)
    field_noise(1, "not UTF-8: \udcff", 1, 1, slice(0, 1), slice(0, 1))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((64, 48), (64, 48)),
        ((32, 20), (32, 20)),
        ((20, 10), (64, 32)),
        ((640, 320), (64, 32)),
        ((6400, 3), (64, 1)),
    ],
)
def test_processing_size(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert processing_size(*size, 64) == expected
    assert processing_size(*size, 0) == size


@pytest.mark.parametrize("size", [(32, 32), (17, 30), (9, 8), (33, 20), (90, 131), (3, 200)])
@pytest.mark.parametrize("members", [1, 3])
def test_every_size_comes_back_as_it_was(model: AlbedoModel, size, members: int) -> None:
    predicted = predict_picture(estimating(model, ensemble=members), scene(*size), "a", LAYOUT)
    assert predicted.albedo.shape == (*size, 3)
    assert predicted.albedo.dtype == np.float16
    assert predicted.albedo.min() >= 0
    assert predicted.albedo.max() <= 1
    assert (predicted.uncertainty is None) == (members == 1)
    assert (predicted.tiles > 0) == (max(size) > 32)


def test_the_result_does_not_depend_on_how_many_tiles_go_at_a_time(model) -> None:
    one, three = (
        predict_picture(estimating(model, batch_size=n), scene(70, 101), "a", LAYOUT).albedo
        for n in (1, 3)
    )
    np.testing.assert_allclose(one, three, atol=2e-3)


def step(albedo: np.ndarray, columns: list[int]) -> float:
    """Mean absolute difference of neighbouring columns."""
    return float(np.mean([np.abs(albedo[:, c] - albedo[:, c - 1]).mean() for c in columns]))


@pytest.mark.parametrize("turned", [False, True])
def test_there_are_no_seams(model: AlbedoModel, turned: bool) -> None:
    beauty = scene(96, 160)
    albedo = predict_picture(estimating(model), beauty, "a", LAYOUT).albedo.astype(np.float32)
    if turned:
        albedo = albedo.transpose(1, 0, 2)
    parts = axis_tiles(albedo.shape[1], 32, 0.25, 2).parts
    starts, ends = [p.start for p in parts[1:]], [p.stop for p in parts[:-1]]
    # Whole cells beside them, where there is one tile: where two are blended noise is smoother.
    near = [s - away for s in starts for away in (2, 4)] + [
        e + away for e in ends for away in (2, 4)
    ]
    assert step(albedo, starts + ends) <= 1.05 * step(albedo, near)


def test_the_tone_is_that_of_the_whole(model: AlbedoModel) -> None:
    beauty = scene(128, 192)
    tiled = predict_picture(estimating(model), beauty, "a", LAYOUT).albedo.astype(np.float32)
    whole = predict_picture(estimating(model), beauty, "a", replace(LAYOUT, tile=0)).albedo.astype(
        np.float32
    )
    coarse = [resize_image(image, 4, 6) for image in (tiled, whole)]
    assert np.abs(coarse[0] - coarse[1]).mean() < 0.03  # the network is random
    np.testing.assert_allclose(tiled.mean(axis=(0, 1)), whole.mean(axis=(0, 1)), rtol=0.05)
