"""Digests of weights: two models of equal digest predict the same."""

import hashlib
from collections.abc import Iterable

import torch

_AUTOENCODER_SETTINGS = ("act_fn", "norm_num_groups", "scaling_factor", "shift_factor")
"""What an autoencoder's results depend on besides the names, shapes and values of its weights."""


def tensors_digest(tensors: Iterable[tuple[str, torch.Tensor]]) -> str:
    """Digest of every tensor's name, type, shape and bytes, sorted by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors, key=lambda item: item[0]):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]


def check_complete(model: torch.nn.Module) -> None:
    """Check that no weight was missing when a diffusers model was loaded.

    diffusers leaves a missing weight on the device `meta`, without values.

    Raises:
        ValueError: if one was missing; names it.
    """
    for name, weight in model.state_dict().items():
        if weight.is_meta:
            raise ValueError(f"the weight {name} is missing")


def weights_digest(model: torch.nn.Module) -> str:
    """Digest of a model's parameters and buffers."""
    return tensors_digest(model.state_dict().items())


def autoencoder_digest(autoencoder: torch.nn.Module) -> str:
    """Digest of an `AutoencoderKL`: its weights, and the settings that its results depend on."""
    return _autoencoder_part(autoencoder, ("",))


def encoder_digest(autoencoder: torch.nn.Module) -> str:
    """Digest of what turns images into latents; another decoder does not change it."""
    return _autoencoder_part(autoencoder, ("encoder.", "quant_conv."))


def _autoencoder_part(autoencoder: torch.nn.Module, prefixes: tuple[str, ...]) -> str:
    weights = autoencoder.state_dict().items()
    digest = hashlib.sha256(
        tensors_digest((n, w) for n, w in weights if n.startswith(prefixes)).encode()
    )
    settings = configuration(autoencoder)
    digest.update(repr([settings.get(name) for name in _AUTOENCODER_SETTINGS]).encode())
    return digest.hexdigest()[:16]


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
