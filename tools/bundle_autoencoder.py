"""`python -m albedo_pipeline.models.bundle FOLDER`: put an autoencoder into the package.

Half precision halves the file; loading brings the weights back to float32.
"""

import sys
from pathlib import Path

from diffusers import AutoencoderKL

from albedo_pipeline.models.autoencoder import BUNDLED


def bundle(folder: Path, target: Path = BUNDLED) -> None:
    """Save the autoencoder of `folder` in half precision into `target`."""
    AutoencoderKL.from_pretrained(folder, use_safetensors=True).half().save_pretrained(target)


if __name__ == "__main__":
    bundle(Path(sys.argv[1]))
