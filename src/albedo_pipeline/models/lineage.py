"""Whether the numbers of an evaluation are those of the models at hand."""

from diffusers import AutoencoderKL

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.models.digests import denoiser_digest, weights_digest


def measured_steps(metrics: dict, denoiser: Denoiser, autoencoder: AutoencoderKL) -> int:
    """DDIM steps that these models were measured with.

    Raises:
        ProjectError: where the metrics do not say, or are those of other weights.
    """
    try:
        steps, lineage = int(metrics["protocol"]["steps"]), metrics["lineage"]
        measured = {name: lineage[name] for name in ("denoiser", "autoencoder")}
    except (KeyError, TypeError, ValueError) as error:
        raise ProjectError(
            "metrics: damaged, or of an earlier version; run the pipeline evaluate again"
        ) from error
    at_hand = {
        "denoiser": denoiser_digest(denoiser),
        "autoencoder": weights_digest(autoencoder),
    }
    for name, digest in at_hand.items():
        if measured[name] != digest:
            raise ProjectError(
                f"metrics: are those of another {name} ({measured[name]}, here is {digest}); run "
                "the pipeline evaluate again"
            )
    return steps
