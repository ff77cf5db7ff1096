"""The albedo of an image of any size: no seams, and the tone of the complete image."""

import numpy as np
import pytest
import torch

from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.imaging.resize import resize_image
from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.inference.resampling import processing_size, resized_beauty
from albedo_pipeline.inference.tiled_prediction import TiledPrediction, predict_image
from albedo_pipeline.inference.tiling import axis_tiles
from albedo_pipeline.models.albedo_model import AlbedoModel, load_albedo_model
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.params.sampling import Sampling
from tests.support.marigold import save_marigold

LAYOUT = TiledPrediction(smallest=32, largest=0, whole_pixels=32 * 32)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> AlbedoModel:
    folder = save_marigold(tmp_path_factory.mktemp("marigold"))
    return load_albedo_model(PretrainedModel(model=str(folder)))


def estimating(model: AlbedoModel, **sampling) -> Estimator:
    settings = {"steps": 1, "seed": 1, "batch_size": 2} | sampling
    return Estimator.owning(model, torch.device("cpu"), Sampling(**settings))


def scene(height: int, width: int) -> np.ndarray:
    """An image, uint16 [H, W, 3]: coloured patches in soft light."""
    random = np.random.default_rng(3)
    patches = random.uniform(0.2, 0.9, (height // 11 + 1, width // 11 + 1, 3))
    patches = np.kron(patches, np.ones((11, 11, 1)))[:height, :width]
    return quantize(patches * np.linspace(0.6, 1, width)[:, None])


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((64, 48), (64, 48)),
        ((32, 20), (32, 20)),
        ((20, 10), (64, 32)),
        ((256, 200), (256, 200)),
        ((640, 320), (256, 128)),
        ((6400, 3), (256, 1)),
    ],
)
def test_processing_size(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert processing_size(*size, 64, 256) == expected
    assert processing_size(*size, 0, 0) == size


@pytest.mark.parametrize(("size", "tiled"), [((40, 60), 20), ((60, 90), 60), ((10, 14), 32)])
def test_a_prediction_at_another_size_gets_the_size_of_the_image(model, size, tiled) -> None:
    layout = TiledPrediction(smallest=32, largest=tiled)
    predicted = predict_image(estimating(model, ensemble={"members": 2}), scene(*size), "a", layout)
    assert predicted.albedo.shape == predicted.uncertainty.shape == (*size, 3)
    assert predicted.albedo.dtype == predicted.uncertainty.dtype == np.float16
    assert predicted.albedo.min() >= 0
    assert predicted.albedo.max() <= 1


@pytest.mark.parametrize("size", [(32, 32), (17, 30), (9, 8), (33, 20), (90, 131), (3, 200)])
@pytest.mark.parametrize(("members", "kind"), [(1, "noise"), (3, "noise"), (4, "augmentation")])
def test_the_prediction_has_the_size_of_the_image(model, size, members: int, kind: str) -> None:
    ensemble = {"kind": kind, "members": members}
    predicted = predict_image(estimating(model, ensemble=ensemble), scene(*size), "a", LAYOUT)
    assert predicted.albedo.shape == (*size, 3)
    assert predicted.albedo.dtype == np.float16
    assert predicted.albedo.min() >= 0
    assert predicted.albedo.max() <= 1
    assert (predicted.uncertainty is None) == (members == 1)
    assert (predicted.tiles > 0) == (size[0] * size[1] > 32 * 32)


def test_the_result_does_not_depend_on_the_number_of_tiles_in_a_batch(model) -> None:
    one, three = (
        predict_image(estimating(model, batch_size=n), scene(70, 101), "a", LAYOUT).albedo
        for n in (1, 3)
    )
    np.testing.assert_allclose(one, three, atol=2e-3)


def step(albedo: np.ndarray, columns: list[int]) -> float:
    """Mean absolute difference between each column and the one before it."""
    return float(np.mean([np.abs(albedo[:, c] - albedo[:, c - 1]).mean() for c in columns]))


@pytest.mark.parametrize("turned", [False, True])
def test_there_are_no_seams(model: AlbedoModel, turned: bool) -> None:
    beauty = scene(96, 160)
    albedo = predict_image(estimating(model), beauty, "a", LAYOUT).albedo.astype(np.float32)
    if turned:
        albedo = albedo.transpose(1, 0, 2)
    parts = axis_tiles(albedo.shape[1], 32, 0.25, 2).parts
    starts, ends = [p.start for p in parts[1:]], [p.stop for p in parts[:-1]]
    # Columns nearby that only one tile covers, because blending two tiles smooths their noise.
    near = [s - away for s in starts for away in (2, 4)] + [
        e + away for e in ends for away in (2, 4)
    ]
    assert step(albedo, starts + ends) <= 1.05 * step(albedo, near)


def test_the_tone_is_that_of_the_complete_image(model: AlbedoModel) -> None:
    beauty = scene(128, 192)
    tiled = predict_image(estimating(model), beauty, "a", LAYOUT).albedo.astype(np.float32)
    reduced = resized_beauty(beauty, (26, 39))  # as large as one pass may be
    whole = predict_image(estimating(model), reduced, "a", LAYOUT).albedo.astype(np.float32)
    coarse = [resize_image(image, 4, 6) for image in (tiled, whole)]
    assert np.abs(coarse[0] - coarse[1]).mean() < 0.03  # the network is random
    np.testing.assert_allclose(tiled.mean(axis=(0, 1)), whole.mean(axis=(0, 1)), rtol=0.05)
