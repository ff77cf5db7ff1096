"""Predictions at another size than the image's own, as `predict` and as Marigold make them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import MarigoldIntrinsicsPipeline
from diffusers.pipelines.marigold.marigold_image_processing import MarigoldImageProcessor

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.evaluation.estimators import marigold
from albedo_pipeline.evaluation.estimators.base import Batch, Context, Predicted
from albedo_pipeline.evaluation.estimators.network import NetworkEstimator
from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.pixels import dequantize, quantize
from albedo_pipeline.inference import tiled_prediction
from albedo_pipeline.inference.ensemble import ensemble_noise
from albedo_pipeline.inference.resampling import Resized
from albedo_pipeline.inference.tiled_prediction import TiledPrediction, predict_image
from tests.support.marigold import save_marigold

SIZE = (20, 30)
LINEAR = {"target_names": ["albedo"], "albedo": {"prediction_space": "linear"}}


@pytest.fixture(scope="module", params=["srgb", "linear"])
def folder(request, tmp_path_factory: pytest.TempPathFactory) -> Path:
    targets = (LINEAR,) if request.param == "linear" else ()
    return save_marigold(tmp_path_factory.mktemp("marigold"), *targets)


@pytest.fixture(scope="module")
def batch() -> Batch:
    beauty = quantize(np.random.default_rng(3).random((2, 3, *SIZE), dtype=np.float32))
    return Batch(["a", "b"], beauty, beauty, np.ones((2, 1, *SIZE), bool))


def opened(folder: Path, **settings) -> NetworkEstimator:
    context = Context(NotImplemented, Checkpoints(folder), torch.device("cpu"), "fp32")
    return marigold.load(marigold.Settings(model=str(folder), steps=1, **settings), context)


def predicted(folder: Path, batch: Batch, **settings) -> Predicted:
    return opened(folder, **settings).predict(batch)


@pytest.mark.parametrize("side", [16, 48])
def test_marigolds_way_is_that_of_its_pipeline(
    folder: Path, batch: Batch, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marigold's own code filters both ways; the class in diffusers only the input."""
    resize = MarigoldImageProcessor.resize_antialias
    monkeypatch.setattr(
        MarigoldImageProcessor,
        "resize_antialias",
        staticmethod(lambda image, size, mode, is_aa=None: resize(image, size, mode, is_aa=True)),
    )
    ours = predicted(folder, batch, resolution=side, resampling="marigold").albedo
    pipeline = MarigoldIntrinsicsPipeline.from_pretrained(folder, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    height, width = Resized(side, "marigold").size(*SIZE)
    noise = ensemble_noise(2024, batch.sample_ids, 1, (4, -(-height // 2), -(-width // 2)))
    theirs = pipeline(
        torch.from_numpy(dequantize(batch.beauty)),
        num_inference_steps=1,
        latents=noise[:, 0],
        processing_resolution=side,
        output_type="np",
    ).prediction.transpose(0, 3, 1, 2)
    if pipeline.target_properties["albedo"]["prediction_space"] == "linear":
        theirs = encode_srgb(theirs)
    np.testing.assert_allclose(ours, theirs, atol=2e-4)  # our smaller image has 16 bits


@pytest.mark.parametrize("side", [16, 64])
def test_predicts_way_is_that_of_predict(
    folder: Path, batch: Batch, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = predicted(folder, batch, resolution=side).albedo

    def same_noise(seed: int, field: str, members: int, channels: int, rows: slice, columns: slice):
        shape = (channels, rows.stop, columns.stop)
        return ensemble_noise(seed, [field.removesuffix("\0whole")], members, shape)[0]

    monkeypatch.setattr(tiled_prediction, "field_noise", same_noise)
    layout = TiledPrediction(smallest=side, largest=side)
    estimator = opened(folder).estimator
    for name, beauty, albedo in zip(batch.sample_ids, batch.beauty, ours, strict=True):
        theirs = predict_image(estimator, beauty.transpose(1, 2, 0), name, layout).albedo
        expected = encode_srgb(theirs.astype(np.float32)).transpose(2, 0, 1)
        np.testing.assert_allclose(albedo, expected, atol=1e-3)  # theirs are in 16 bits


@pytest.mark.parametrize("resampling", ["predict", "marigold"])
def test_the_own_size_changes_nothing(folder: Path, batch: Batch, resampling: str) -> None:
    plain = predicted(folder, batch).albedo
    own = predicted(folder, batch, resolution=max(SIZE), resampling=resampling).albedo
    np.testing.assert_array_equal(own, plain)


@pytest.mark.parametrize("resampling", ["predict", "marigold"])
def test_the_uncertainty_has_the_size_of_the_image(
    folder: Path, batch: Batch, resampling: str
) -> None:
    ensemble = {"kind": "augmentation", "members": 2}
    found = predicted(folder, batch, resolution=16, resampling=resampling, ensemble=ensemble)
    assert found.uncertainty.shape == (2, 1, *SIZE)


def test_the_table_shows_the_size(folder: Path) -> None:
    about = opened(folder, resolution=16, resampling="marigold").about
    assert about["resolution"] == "16 (marigold)"


@pytest.mark.parametrize(
    ("size", "expected"),
    [((480, 640), (480, 640)), ((100, 333), (192, 640)), ((2, 6000), (1, 640))],
)
def test_marigolds_size_is_rounded_down(size: tuple, expected: tuple) -> None:
    assert Resized(640, "marigold").size(*size) == expected
