"""Time and memory of a prediction, and the largest pass that they allow."""

import pytest
import torch

from albedo_pipeline.inference import cost as cost_module
from albedo_pipeline.inference.cost import Cost, largest_pass, measure_cost
from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.models.albedo_model import load_albedo_model
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.params.sampling import Sampling
from tests.support.marigold import save_marigold


@pytest.fixture(scope="module")
def estimator(tmp_path_factory) -> Estimator:
    folder = save_marigold(tmp_path_factory.mktemp("marigold"))
    model = load_albedo_model(PretrainedModel(model=str(folder)))
    return Estimator.owning(model, torch.device("cpu"), Sampling(steps=1, batch_size=2))


def test_the_memory_is_that_of_some_layers_at_full_size(estimator: Estimator) -> None:
    measured = measure_cost(estimator)
    layer = 8 * 4  # the autoencoder has eight channels at full size, of float32
    assert 2 * layer < measured.bytes < 40 * layer
    assert measured.seconds > 0
    assert measure_cost(estimator).bytes == measured.bytes


def test_a_pass_takes_half_of_the_memory_and_at_most_four_megapixels(
    estimator: Estimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost_module, "available_memory", lambda device: 8_000_000)
    assert largest_pass(Cost(100.0, 1.0), estimator) == 20_000  # batches of two
    monkeypatch.setattr(cost_module, "available_memory", lambda device: 10**12)
    assert largest_pass(Cost(100.0, 1.0), estimator) == 4_000_000
