"""The embedding of the empty text, which conditions the denoiser and is computed once."""

import tempfile
from pathlib import Path
from typing import Any

import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.runtime.checksums import verified


@torch.no_grad()
def embed_empty_text(text_encoder: CLIPTextModel, tokenizer: CLIPTokenizer) -> torch.Tensor:
    """Embedding of "", float32 [1, 2, D]: the tokens for begin and end of text, without padding.

    Marigold's pipelines in diffusers embed it in the same way.
    """
    tokens = tokenizer("", padding="do_not_pad", truncation=True, return_tensors="pt")
    return text_encoder(tokens.input_ids)[0].float()


def check_tokens(text_encoder: CLIPTextModel, tokenizer: CLIPTokenizer) -> None:
    """Check a loaded tokenizer.

    Raises:
        ProjectError: if it is not that of the text encoder.
    """
    # Without its files, transformers makes a tokenizer of three tokens, and says nothing.
    known, tokens = text_encoder.config.vocab_size, len(tokenizer)
    if max(tokenizer("").input_ids) >= known or 2 * tokens < known:
        raise ProjectError(
            f"tokenizer: its files are missing, or of another model: it knows {tokens} tokens, the "
            f"text encoder {known}; copy the folder tokenizer of the model again"
        )


def load_text_encoder(source: PretrainedModel) -> tuple[CLIPTextModel, CLIPTokenizer]:
    """Load `text_encoder` and `tokenizer` of an SD-family repository or folder.

    Raises:
        ProjectError: if they cannot be loaded. The message names the repository.
    """
    options: dict[str, Any] = {"revision": source.revision}
    folder = Path(source.model)
    with verified(folder, within="text_encoder"), verified(folder, within="tokenizer"):
        try:
            encoder = CLIPTextModel.from_pretrained(
                source.model, subfolder="text_encoder", use_safetensors=True, **options
            )
            tokenizer = CLIPTokenizer.from_pretrained(
                source.model, subfolder="tokenizer", **options
            )
            check_tokens(encoder, tokenizer)
        except (OSError, ValueError) as error:
            raise ProjectError(
                f"train.pretrained.model {source.model}: {one_line(error)}"
            ) from error
    return encoder.eval(), tokenizer


def new_text_encoder(width: int) -> tuple[CLIPTextModel, CLIPTokenizer]:
    """A one-layer text encoder with random weights, and its tokenizer of two words.

    A denoiser from scratch can learn with any constant embedding. Draws from torch's global
    generator.
    """
    config = CLIPTextConfig(
        vocab_size=2,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=0,
        eos_token_id=1,
    )
    return CLIPTextModel(config).eval(), _tokenizer()


def _tokenizer() -> CLIPTokenizer:
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = Path(folder) / "vocab.json"
        merges = Path(folder) / "merges.txt"
        vocabulary.write_text('{"<|startoftext|>": 0, "<|endoftext|>": 1}', encoding="utf-8")
        merges.write_text("#version: 0.2\n", encoding="utf-8")
        return CLIPTokenizer(str(vocabulary), str(merges), model_max_length=77)
