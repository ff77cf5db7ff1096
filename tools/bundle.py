"""Puts a trained model into the package, in half precision, which halves the file.

`python -m tools.bundle autoencoder FOLDER` or `python -m tools.bundle estimator FOLDER`. The models
are loaded as float32.
"""

import argparse
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, MarigoldIntrinsicsPipeline

from albedo_pipeline.models.albedo_model import BUNDLED_ESTIMATOR
from albedo_pipeline.models.autoencoder import BUNDLED_AUTOENCODER
from albedo_pipeline.models.reference import make_reference
from albedo_pipeline.runtime.atomic_files import replaced_folder
from albedo_pipeline.runtime.checksums import write_checksums


def bundle_autoencoder(folder: Path, target: Path = BUNDLED_AUTOENCODER) -> None:
    """Save the autoencoder in `folder` to `target`; other files there, such as its README, stay."""
    AutoencoderKL.from_pretrained(folder, use_safetensors=True).half().save_pretrained(target)
    write_checksums(target)


def bundle_estimator(folder: Path, target: Path = BUNDLED_ESTIMATOR) -> None:
    """Replace `target` by the exported estimator in `folder`, with its card."""
    pipeline = MarigoldIntrinsicsPipeline.from_pretrained(folder, use_safetensors=True)
    for network in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        network.half()
    target.parent.mkdir(exist_ok=True)
    with replaced_folder(target) as new:
        pipeline.save_pretrained(new, safe_serialization=True)
        for name in ("README.md", "made_from.json"):
            shutil.copy(folder / name, new)
        pipeline.to(dtype=torch.float32)  # the rounded weights, as they are loaded
        make_reference(pipeline, pipeline.default_processing_resolution or 256).write(new)
        write_checksums(new)


BUNDLE = {"autoencoder": bundle_autoencoder, "estimator": bundle_estimator}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Puts a trained model into the package.")
    parser.add_argument("kind", choices=BUNDLE)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    BUNDLE[arguments.kind](arguments.folder)
