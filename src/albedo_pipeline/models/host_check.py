"""Says whether this machine gives the picture that this exported model gave where it was made.

A copy of this file is in every export, as verify.py. It needs torch and diffusers, nothing else:

    python verify.py                    # or: python verify.py --device cuda

It prints one line, and ends with exit code 1 if the files or the picture differ.
"""

import argparse
import hashlib
import json
import platform
import sys
from pathlib import Path

import diffusers
import torch
from safetensors.torch import load_file

REFERENCE = Path("reference")
"""Folder of the reference in an export; its pictures are also there as PNG, to look at."""
TENSORS, RECORD = REFERENCE / "reference.safetensors", REFERENCE / "reference.json"
"""input [1, 3, H, W] in [0, 1], noise [1, C, h, w] and output [T, 3, H, W] in [0, 1], float32; and
their digests, the sampling steps, and the largest difference that is allowed."""
CHECKSUMS = "checksums.json"
"""SHA-256 of the export's files, by path."""


def predicted(
    pipeline: diffusers.MarigoldIntrinsicsPipeline,
    image: torch.Tensor,
    noise: torch.Tensor,
    steps: int,
) -> torch.Tensor:
    """The output of one prediction at the image's own size: float32 [T, 3, H, W] on the CPU."""
    result = pipeline(
        image,
        num_inference_steps=steps,
        latents=noise,
        processing_resolution=0,
        output_type="pt",
    )
    return result.prediction.float().cpu()


def digest(tensor: torch.Tensor) -> str:
    """SHA-256 of a tensor's values."""
    return hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()


def changed_file(folder: Path) -> str | None:
    """The first file that is not what was exported; None if there is none."""
    sums = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    for name, expected in sums.items():
        file = folder / name
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != expected:
            return name
    return None


def verdict(folder: Path, device: str) -> tuple[bool, str]:
    """Whether this host gives the reference picture, and one line that says so.

    Args:
        folder: an exported model with a reference.
        device: where the networks run, as torch names it.
    """
    if not (folder / RECORD).is_file():
        return False, f"{folder}: no exported model with a reference; export the model again"
    record, tensors = json.loads((folder / RECORD).read_text()), load_file(folder / TENSORS)
    for name, tensor in tensors.items():
        if digest(tensor) != record["digests"].get(name):
            return False, f"{folder / TENSORS}: {name} is not what was exported; get it again"
    if changed := changed_file(folder):
        return False, f"{folder}: {changed} is not what was exported; get the folder again"
    pipeline = diffusers.MarigoldIntrinsicsPipeline.from_pretrained(
        folder, use_safetensors=True
    ).to(device, torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    found = predicted(pipeline, tensors["input"], tensors["noise"].to(device), record["steps"])
    difference = float((found - tensors["output"]).abs().max())  # NaN is no match, either
    host = (
        f"diffusers {diffusers.__version__}, torch {torch.__version__}, {device}, "
        f"{platform.machine()}"
    )
    allowed = record["tolerance"]
    if difference <= allowed:
        return True, f"{folder}: the same picture, to {difference:.1g} ({host})"
    return False, (
        f"{folder}: another picture: it differs by up to {difference:.2g}, and {allowed:g} is "
        f"allowed ({host}; made with {record['made_with']})"
    )


def main() -> int:
    """Check the folder that holds this file."""
    parser = argparse.ArgumentParser(description="Compare this machine with the reference.")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    is_same, line = verdict(Path(__file__).resolve().parent, parser.parse_args().device)
    print(line)
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main())
