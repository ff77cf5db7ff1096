"""The reference of an export: one picture, and what the model made of it."""

import json
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import diffusers
import numpy as np
import torch
from diffusers import MarigoldIntrinsicsPipeline
from safetensors.torch import save_file

from albedo_pipeline.imaging.io.write import write_png
from albedo_pipeline.models import host_check
from albedo_pipeline.models.autoencoder import factor
from albedo_pipeline.models.host_check import RECORD, REFERENCE, TENSORS, digest, predicted

LARGEST_SIDE = 256
"""Longest side of the reference picture, pixels: a check must be fast on any machine."""
TOLERANCE = 1e-3
"""Largest difference that counts as the same picture: a quarter of a step of 8 bits, and about ten
times the rounding of a GPU that computes in TF32."""


@dataclass(frozen=True)
class Reference:
    """What a host gets, and what it must make of it."""

    tensors: dict[str, torch.Tensor]
    """input, noise and output; see `host_check.TENSORS`."""
    steps: int
    """DDIM steps."""

    def write(self, folder: Path) -> None:
        """Write the folder `reference`, and the check `verify.py`, into an exported folder."""
        (folder / REFERENCE).mkdir()
        save_file(self.tensors, folder / TENSORS)
        made_with = f"diffusers {diffusers.__version__}, torch {torch.__version__}, cpu"
        record = {
            "digests": {name: digest(tensor) for name, tensor in self.tensors.items()},
            "steps": self.steps,
            "tolerance": TOLERANCE,
            "made_with": f"{made_with}, {platform.machine()}",
        }
        (folder / RECORD).write_text(json.dumps(record, indent=2), encoding="utf-8")
        for name in ("input", "output"):
            pixels = (self.tensors[name][0].permute(1, 2, 0) * 255).round().to(torch.uint8)
            write_png(folder / REFERENCE / f"{name}.png", pixels.numpy())
        shutil.copyfile(host_check.__file__, folder / "verify.py")


@torch.no_grad()
def make_reference(pipeline: MarigoldIntrinsicsPipeline, side: int) -> Reference:
    """Predict the reference picture once, in float32 on the CPU.

    Args:
        pipeline: the model, in float32 on the CPU.
        side: longer side that the model was trained at, pixels.
    """
    cell = factor(pipeline.vae)
    side = max(cell, min(side, LARGEST_SIDE) // cell * cell)
    image = torch.from_numpy(reference_picture(side)).permute(2, 0, 1)[None] / 255  # [1, 3, H, W]
    noise = torch.randn(
        1,
        pipeline.unet.config.out_channels,
        side // cell,
        side // cell,
        generator=torch.Generator().manual_seed(0),
    )
    steps = pipeline.default_denoising_steps or 1
    pipeline.set_progress_bar_config(disable=True)
    output = predicted(pipeline, image, noise, steps)
    tensors = {"input": image, "noise": noise, "output": output}
    return Reference({name: t.contiguous() for name, t in tensors.items()}, steps)


def reference_picture(side: int) -> np.ndarray:
    """A wall of coloured tiles and a ball, lit from one side: uint8 [side, side, 3], sRGB-encoded.

    It is drawn and not taken from the data, which may be private.
    """
    y, x = (np.indices((side, side)) + 0.5) / side
    tile = np.floor(4 * y) * 4 + np.floor(4 * x)
    hues = 2 * np.pi * (tile[..., None] * 0.618 + np.array([0, 1 / 3, 2 / 3]))
    wall = 0.5 + 0.35 * np.cos(hues)
    light = 0.25 + 0.7 * (1 - x) * (1 - 0.5 * y)
    shadow = np.hypot(x - 0.66, y - 0.66) < 0.24
    pixels = wall * np.where(shadow, 0.35 * light, light)[..., None]
    distance = np.hypot(x - 0.55, y - 0.55) / 0.24
    depth = np.sqrt(np.clip(1 - distance**2, 0, 1))
    shade = 0.2 + 0.75 * np.clip((0.55 - x) / 0.24 * 0.6 + depth * 0.8, 0, 1)
    ball = shade[..., None] * np.array([0.85, 0.35, 0.25])
    pixels = np.where((distance < 1)[..., None], ball, pixels)
    return np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
