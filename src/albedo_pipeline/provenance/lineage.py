"""Which data and weights a number comes from, and whether they are those at hand."""

from albedo_pipeline.errors import ProjectError


def check_models(metrics: dict, digests: dict[str, str]) -> None:
    """Check that an evaluation's numbers belong to the models at hand.

    Args:
        metrics: content of `metrics.json`.
        digests: digests of the models at hand, by `denoiser` and `autoencoder`.

    Raises:
        ProjectError: if the metrics name no models, or others.
    """
    try:
        measured = {name: metrics["lineage"][name] for name in digests}
    except (KeyError, TypeError) as error:
        raise ProjectError(
            "metrics: damaged, or from an earlier version; run the pipeline evaluate again"
        ) from error
    for name, digest in digests.items():
        if measured[name] != digest:
            raise ProjectError(
                f"metrics: measured with another {name} ({measured[name]}, here is {digest}); run "
                "the pipeline evaluate again"
            )


def check_predictions(metrics: dict, fingerprint: str) -> None:
    """Check that an evaluation's numbers belong to the predictions at hand.

    After an evaluation that was stopped halfway, they do not.

    Args:
        metrics: content of `metrics.json`.
        fingerprint: fingerprint of the stored predictions.

    Raises:
        ProjectError: if the metrics name other predictions, or none.
    """
    lineage = metrics.get("lineage")
    if not isinstance(lineage, dict) or lineage.get("predictions") != fingerprint:
        raise ProjectError(
            "metrics: measured on other predictions; run the pipeline evaluate again"
        )
