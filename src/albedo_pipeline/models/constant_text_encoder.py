"""A text encoder that always gives one embedding: the one that a denoiser was trained with."""

import torch
from transformers import CLIPTextModel, CLIPTokenizer

from albedo_pipeline.models.text_embedding import new_text_encoder

_LARGE = 64.0
"""Size of the word embeddings: beside its square, the 1e-5 of the layer norm rounds away."""


@torch.no_grad()
def constant_text_encoder(text_embedding: torch.Tensor) -> tuple[CLIPTextModel, CLIPTokenizer]:
    """Encoder and tokenizer that give `text_embedding` for "", up to float32's rounding.

    Let c0 and c1 be the two rows of the embedding, and n = (1, -1, 1, -1, ...). The two words are
    embedded as +64 n and -64 n. Attention and MLP are all zero, so they add nothing. The final
    layer norm has mean 0 and deviation 64 and gives +n and -n; with the weight w = n (c0 - c1) / 2
    and the bias b = (c0 + c1) / 2 (elementwise) it returns b + n w = c0 and b - n w = c1.

    Args:
        text_embedding: float32 [1, 2, D], D a multiple of 8.
    """
    encoder, tokenizer = new_text_encoder(text_embedding.shape[-1])
    for weight in encoder.parameters():
        weight.zero_()
    begin, end = text_embedding[0]
    signs = torch.ones_like(begin)
    signs[1::2] = -1
    words = encoder.get_input_embeddings().get_parameter("weight")
    words[0], words[1] = _LARGE * signs, -_LARGE * signs
    encoder.final_layer_norm.weight.copy_((begin - end) / 2 * signs)
    encoder.final_layer_norm.bias.copy_((begin + end) / 2)
    return encoder, tokenizer
