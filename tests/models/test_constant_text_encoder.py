"""The constant text encoder gives the text embedding that it was made for."""

import pytest
import torch

from albedo_pipeline.models.constant_text_encoder import constant_text_encoder
from albedo_pipeline.models.text_embedding import embed_empty_text


@pytest.mark.parametrize("width", [8, 32, 1024])
@pytest.mark.parametrize("size", [1e-3, 1.0, 10.0])
def test_the_empty_text_has_the_given_embedding(width: int, size: float) -> None:
    torch.manual_seed(width)
    text_embedding = size * torch.randn(1, 2, width)
    embedded = embed_empty_text(*constant_text_encoder(text_embedding))
    torch.testing.assert_close(embedded, text_embedding, atol=1e-6 * size, rtol=0)


def test_its_weights_do_not_depend_on_random_numbers() -> None:
    text_embedding = torch.randn(1, 2, 8)
    one, two = (constant_text_encoder(text_embedding)[0].state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
