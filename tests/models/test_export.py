"""The exported pipeline's parts: its text encoder, and the size it was trained at."""

from pathlib import Path

import numpy as np
import pytest
import torch

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.constant_text_encoder import constant_text_encoder
from albedo_pipeline.models.denoiser import Denoiser, load_unet, new_scheduler
from albedo_pipeline.models.export import intrinsics_pipeline, text_source, trained_side
from albedo_pipeline.models.text_embedding import embed_empty_text, load_text_encoder
from albedo_pipeline.params.denoiser import NoiseSchedule, PretrainedDenoiser


@pytest.mark.parametrize("width", [8, 32, 1024])
@pytest.mark.parametrize("size", [1e-3, 1.0, 10.0])
def test_the_constant_text_is_the_condition(width: int, size: float) -> None:
    torch.manual_seed(width)
    text_embedding = size * torch.randn(1, 2, width)
    embedded = embed_empty_text(*constant_text_encoder(text_embedding))
    torch.testing.assert_close(embedded, text_embedding, atol=1e-6 * size, rtol=0)


def test_the_constant_text_draws_nothing_that_shows() -> None:
    text_embedding = torch.randn(1, 2, 8)
    one, two = (constant_text_encoder(text_embedding)[0].state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.fixture
def source(stable_diffusion: Path) -> PretrainedDenoiser:
    return PretrainedDenoiser(model=str(stable_diffusion))


def denoiser(source: PretrainedDenoiser, text_embedding: torch.Tensor) -> Denoiser:
    return Denoiser(load_unet(source, 4), new_scheduler(NoiseSchedule()), text_embedding)


def test_a_pretrained_text_encoder_goes_along(source, autoencoder) -> None:
    encoder, tokenizer = load_text_encoder(source)
    trained = denoiser(source, embed_empty_text(encoder, tokenizer))
    pipeline = intrinsics_pipeline(trained, autoencoder, source, steps=4, resolution=32)
    there, here = encoder.state_dict(), pipeline.text_encoder.state_dict()
    assert all(torch.equal(there[name], here[name]) for name in there)


@pytest.mark.parametrize("shape", [(1, 2, 8), (1, 77, 8)])
def test_another_text_encoder_than_the_trained_one_is_refused(
    source, autoencoder, shape: tuple[int, ...]
) -> None:
    trained = denoiser(source, torch.zeros(shape))
    with pytest.raises(ProjectError, match=r"check that train\.pretrained\.model is unchanged"):
        intrinsics_pipeline(trained, autoencoder, source, steps=4, resolution=32)


def test_the_text_comes_from_where_the_training_took_it(source) -> None:
    settings = {"source": "pretrained", "pretrained": source.model_dump()}
    assert text_source(settings) == source
    assert text_source({"source": "scratch", "pretrained": None}) is None


class Latents:
    """Of landscape, portrait and one larger image; the last is of another split."""

    def shapes(self, name: str) -> np.ndarray:
        return np.array([[2, 4, h, w] for h, w in [(8, 12), (12, 8), (16, 16), (40, 40), (40, 40)]])

    def rows(self, split: str) -> np.ndarray:
        return np.array([0, 1, 2])


def test_the_trained_side_is_that_of_the_most_images(autoencoder) -> None:
    assert trained_side(Latents(), autoencoder) == 24
