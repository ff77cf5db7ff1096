"""Noisy images, and random LPIPS weights."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

Sample = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

CONVOLUTIONS = {
    0: (64, 3, 11),
    3: (192, 64, 5),
    6: (384, 192, 3),
    8: (256, 384, 3),
    10: (256, 256, 3),
}


@pytest.fixture(scope="session")
def noisy_images():
    """Makes prediction and truth [1, 3, side, side] and a mask in which all pixels are valid."""

    def make(seed: int, side: int = 32) -> Sample:
        random = torch.Generator().manual_seed(seed)
        truth = torch.rand(1, 3, side, side, generator=random)
        noise = 0.1 * torch.randn(truth.shape, generator=random)
        return (truth + noise).clamp(0, 1), truth, torch.ones(1, 1, side, side, dtype=torch.bool)

    return make


@pytest.fixture(scope="session")
def lpips_weights() -> dict[str, torch.Tensor]:
    """Random tensors with the names and shapes of the published ones."""
    random = torch.Generator().manual_seed(0)
    weights = {}
    for index, (layer, (out_channels, in_channels, side)) in enumerate(CONVOLUTIONS.items()):
        spread = (2 / (in_channels * side**2)) ** 0.5
        shape = (out_channels, in_channels, side, side)
        weights[f"features.{layer}.weight"] = spread * torch.randn(shape, generator=random)
        weights[f"features.{layer}.bias"] = 0.1 * torch.randn(out_channels, generator=random)
        weights[f"lin{index}.model.1.weight"] = torch.rand(1, out_channels, 1, 1, generator=random)
    return weights


@pytest.fixture(scope="session")
def lpips_file(lpips_weights, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("lpips") / "lpips.safetensors"
    save_file(lpips_weights, path)
    return path
