"""Images with noise, and LPIPS weights made on the spot."""

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
    """noisy_images(seed, side) => prediction, truth [1, 3, side, side]; all pixels valid."""

    def make(seed: int, side: int = 32) -> Sample:
        random = torch.Generator().manual_seed(seed)
        truth = torch.rand(1, 3, side, side, generator=random)
        noise = 0.1 * torch.randn(truth.shape, generator=random)
        return (truth + noise).clamp(0, 1), truth, torch.ones(1, 1, side, side, dtype=torch.bool)

    return make


@pytest.fixture(scope="session")
def lpips_weights() -> dict[str, torch.Tensor]:
    """Random tensors under the names of the published ones."""
    random = torch.Generator().manual_seed(0)
    weights = {}
    for place, (layer, (out, into, side)) in enumerate(CONVOLUTIONS.items()):
        spread = (2 / (into * side**2)) ** 0.5
        shape = (out, into, side, side)
        weights[f"features.{layer}.weight"] = spread * torch.randn(shape, generator=random)
        weights[f"features.{layer}.bias"] = 0.1 * torch.randn(out, generator=random)
        weights[f"lin{place}.model.1.weight"] = torch.rand(1, out, 1, 1, generator=random)
    return weights


@pytest.fixture(scope="session")
def lpips_file(lpips_weights, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("lpips") / "lpips.safetensors"
    save_file(lpips_weights, path)
    return path
