"""Puts an autoencoder into the package: `python -m tools.bundle_autoencoder FOLDER`.

The package holds it in half precision, which halves the file; it is loaded as float32.
"""

import sys
from pathlib import Path

from diffusers import AutoencoderKL

from albedo_pipeline.models.autoencoder import BUNDLED


def bundle(folder: Path, target: Path = BUNDLED) -> None:
    """Save the autoencoder in `folder` to `target` in half precision."""
    AutoencoderKL.from_pretrained(folder, use_safetensors=True).half().save_pretrained(target)


if __name__ == "__main__":
    bundle(Path(sys.argv[1]))
