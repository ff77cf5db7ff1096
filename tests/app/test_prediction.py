"""Predictions for the app: the same as `predict`, with progress, and ended on request."""

from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.app.prediction import Cancelled, PredictionRequest, Predictor
from albedo_pipeline.artifacts.prediction_job import UserImage
from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.inference.predict_job import predict_job
from albedo_pipeline.params import PredictParams
from tests.support.broken_images import codes, cut, image
from tests.support.marigold import save_marigold


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_marigold(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> UserImage:
    path = tmp_path_factory.mktemp("in") / "a.png"
    image(path, codes()[:24, :40])
    return UserImage("a.png", path, "a")


def never() -> bool:
    return False


@pytest.mark.parametrize(
    "settings", [{}, {"whole_megapixels": 0.0003, "tile": 16}], ids=["one pass", "tiles"]
)
def test_the_result_is_that_of_predict_and_the_progress_ends_at_1(model, picture, settings) -> None:
    ensemble = {"kind": "noise", "members": 2}
    base = PredictParams(device="cpu", steps=2, input=str(picture.path), model=model, **settings)
    shares: list[float] = []
    wanted = PredictionRequest(model, members=2)
    found = Predictor(base).predict(picture, wanted, never, shares.append)
    params = PredictParams.model_validate(base.model_dump() | {"ensemble": ensemble})
    expected = predict_job(Path("no/export"), params).make(picture)
    assert np.array_equal(found.albedo, expected.albedo)
    assert np.array_equal(found.uncertainty, expected.uncertainty)
    assert found.record["tiles"] == expected.record["tiles"] == (6 if settings else 0)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(set(shares)) == len(shares)


def test_a_prediction_ends_between_two_blocks_and_leaves_the_model_usable(model, picture) -> None:
    predictor, calls = Predictor(PredictParams(device="cpu")), []
    wanted = PredictionRequest(model)
    with pytest.raises(Cancelled):
        predictor.predict(picture, wanted, lambda: len(calls) == 3, calls.append)
    assert len(calls) == 3
    predictor.predict(picture, wanted, never, lambda share: None)
    assert len(calls) == 3


def test_a_model_stays_open_until_another_one_is_wanted(model, picture, monkeypatch) -> None:
    from albedo_pipeline.app import prediction

    opened: list[str] = []
    load = prediction.load_albedo_model
    monkeypatch.setattr(
        prediction, "load_albedo_model", lambda source: opened.append(source.model) or load(source)
    )
    predictor = Predictor(PredictParams(device="cpu"))
    for name in (model, model, "bundled", model):
        predictor.predict(picture, PredictionRequest(name), never, lambda share: None)
    assert opened == [model, "bundled", model]


def test_bad_files_and_bad_models_are_named(model, picture, tmp_path) -> None:
    predictor = Predictor(PredictParams(device="cpu", max_megapixels=0.004))

    def error_of(name: str, path: Path, members: int = 1) -> str:
        with pytest.raises((BadSampleError, ProjectError)) as error:
            predictor.predict(
                UserImage(path.name, path, "a"),
                PredictionRequest(name, members=members),
                never,
                lambda share: None,
            )
        return str(error.value)

    cut(tmp_path / "cut.jpg")
    image(tmp_path / "large.png", codes()[:64, :48].repeat(2, axis=0))
    assert error_of(model, tmp_path / "large.png") == "48 x 128 pixels: more than 0.004 megapixels"
    assert error_of(model, tmp_path / "cut.jpg").endswith("damaged or cut off")
    assert error_of("no/model", picture.path).startswith("no/model: ")
    assert "at most 8" in error_of("bundled", picture.path, 9)
