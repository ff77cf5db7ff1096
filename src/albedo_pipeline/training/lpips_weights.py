"""The weights of LPIPS that a training uses, in its loss or for its validation."""

from functools import cache
from pathlib import Path

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.metrics.image.lpips import Weights, load_weights
from albedo_pipeline.provenance.weights import tensors_digest


@cache
def lpips_weights(file: Path, setting: str) -> Weights:
    """The weights of LPIPS, float32 on the CPU; a process reads a file once.

    Args:
        file: safetensors file with the weights.
        setting: key of the setting that names the file, for the error.

    Raises:
        ProjectError: if the weights cannot be read.
    """
    try:
        return load_weights(file)
    except ValueError as error:
        raise ProjectError(f"{setting}: {error}") from error


def lpips_digest(weights: Weights) -> str:
    """Digest of the weights of LPIPS: files of one content have one digest."""
    return tensors_digest(weights.items())
