"""Digests of weights: two models of equal digest predict the same."""

import hashlib
from collections.abc import Iterable

import torch


def tensors_digest(tensors: Iterable[tuple[str, torch.Tensor]]) -> str:
    """Digest of every tensor's name, type, shape and bytes, sorted by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors, key=lambda item: item[0]):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]


def weights_digest(model: torch.nn.Module) -> str:
    """Digest of a model's parameters and buffers."""
    return tensors_digest(model.state_dict().items())


def configuration(model: object) -> dict:
    """A diffusers model's configuration without what depends on where it was loaded from."""
    return {k: v for k, v in model.config.items() if not k.startswith("_")}  # type: ignore[attr-defined]


def denoiser_digest(unet: torch.nn.Module, scheduler: object, text_embedding: torch.Tensor) -> str:
    """Digest of the UNet's weights, the noise schedule and the text embedding.

    Args:
        scheduler: a diffusers scheduler.
        text_embedding: float32 [1, L, D], on the CPU.
    """
    digest = hashlib.sha256(weights_digest(unet).encode())
    digest.update(repr(sorted(configuration(scheduler).items())).encode())
    digest.update(text_embedding.contiguous().numpy().data)
    return digest.hexdigest()[:16]
