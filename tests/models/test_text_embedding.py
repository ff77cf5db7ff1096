"""The text embedding: how the empty text is embedded."""

from pathlib import Path

import pytest
import torch
from transformers import CLIPTextConfig, CLIPTextModel

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.text_embedding import (
    embed_empty_text,
    load_text_encoder,
    new_text_encoder,
)
from albedo_pipeline.params.base import PretrainedModel


def test_the_empty_text_is_embedded_as_two_tokens(stable_diffusion: Path) -> None:
    encoder, tokenizer = load_text_encoder(PretrainedModel(model=str(stable_diffusion)))
    text_embedding = embed_empty_text(encoder, tokenizer)
    assert text_embedding.shape == (1, 2, 8)
    assert torch.equal(text_embedding, encoder(torch.tensor([[0, 1]]))[0])


def test_a_new_text_encoder_embeds_the_empty_text_as_a_pretrained_one_does() -> None:
    torch.manual_seed(0)
    assert embed_empty_text(*new_text_encoder(width=8)).shape == (1, 2, 8)


@pytest.mark.parametrize("vocabulary", [2, 49408])
def test_a_tokenizer_without_its_files_is_named(
    stable_diffusion: Path, tmp_path: Path, vocabulary: int
) -> None:
    folder = tmp_path / "model"
    encoder, _ = load_text_encoder(PretrainedModel(model=str(stable_diffusion)))
    config = CLIPTextConfig(**encoder.config.to_dict() | {"vocab_size": vocabulary})
    CLIPTextModel(config).save_pretrained(folder / "text_encoder")
    (folder / "model_index.json").write_text("{}")
    with pytest.raises(ProjectError, match=r"model: tokenizer: its files are missing"):
        load_text_encoder(PretrainedModel(model=str(folder)))


def test_a_missing_text_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"train\.pretrained\.model .*nowhere"):
        load_text_encoder(PretrainedModel(model=str(tmp_path / "nowhere")))
