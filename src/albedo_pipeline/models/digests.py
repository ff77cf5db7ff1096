"""Digests of weights: two models of equal digest predict the same."""

import hashlib

import torch

from albedo_pipeline.models.denoiser import Denoiser


def weights_digest(model: torch.nn.Module) -> str:
    """Of every tensor's name, type, shape and bytes."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]


def denoiser_digest(denoiser: Denoiser) -> str:
    """Of the UNet's weights, the noise schedule and the condition."""
    digest = hashlib.sha256(weights_digest(denoiser.unet).encode())
    config = {k: v for k, v in denoiser.scheduler.config.items() if not k.startswith("_")}
    digest.update(repr(sorted(config.items())).encode())
    digest.update(denoiser.condition.contiguous().numpy().data)
    return digest.hexdigest()[:16]
