"""The exported pipeline: its text encoder, and the size that it was trained at."""

from pathlib import Path

import numpy as np
import pytest
import torch

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.denoiser import Denoiser, load_unet, new_scheduler
from albedo_pipeline.models.export import intrinsics_pipeline, text_source, trained_side
from albedo_pipeline.models.text_embedding import embed_empty_text, load_text_encoder
from albedo_pipeline.params.denoiser import NoiseSchedule, PretrainedDenoiser


@pytest.fixture
def source(stable_diffusion: Path) -> PretrainedDenoiser:
    return PretrainedDenoiser(model=str(stable_diffusion))


def denoiser(source: PretrainedDenoiser, text_embedding: torch.Tensor) -> Denoiser:
    return Denoiser(load_unet(source, 4), new_scheduler(NoiseSchedule()), text_embedding)


def test_a_pretrained_text_encoder_is_exported(source, autoencoder) -> None:
    encoder, tokenizer = load_text_encoder(source)
    trained = denoiser(source, embed_empty_text(encoder, tokenizer))
    pipeline = intrinsics_pipeline(trained, autoencoder, source, steps=4, resolution=32)
    expected, exported = encoder.state_dict(), pipeline.text_encoder.state_dict()
    assert all(torch.equal(expected[name], exported[name]) for name in expected)


@pytest.mark.parametrize("shape", [(1, 2, 8), (1, 77, 8)])
def test_a_text_encoder_with_another_embedding_is_refused(
    source, autoencoder, shape: tuple[int, ...]
) -> None:
    trained = denoiser(source, torch.zeros(shape))
    with pytest.raises(ProjectError, match=r"check that train\.pretrained\.model is unchanged"):
        intrinsics_pipeline(trained, autoencoder, source, steps=4, resolution=32)


def test_the_text_encoder_is_that_of_the_training(source) -> None:
    settings = {"source": "pretrained", "pretrained": source.model_dump()}
    assert text_source(settings) == source
    assert text_source({"source": "scratch", "pretrained": None}) is None


class Latents:
    """Latents of a landscape, a portrait and a larger image, and of two images of another split."""

    def shapes(self, name: str) -> np.ndarray:
        return np.array([[2, 4, h, w] for h, w in [(8, 12), (12, 8), (16, 16), (40, 40), (40, 40)]])

    def rows(self, split: str) -> np.ndarray:
        return np.array([0, 1, 2])


def test_the_trained_side_is_the_most_frequent_one(autoencoder) -> None:
    assert trained_side(Latents(), autoencoder) == 24
