"""What an evaluation's scores come from: recorded before it starts, and checked before scoring."""

from collections.abc import Mapping

import pandas as pd
from diffusers import AutoencoderKL

from albedo_pipeline.evaluation.estimators.base import AlbedoEstimator
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.provenance.lineage import (
    check_denoiser,
    check_made_from,
    check_manifest,
    content_digest,
    manifest_digest,
)
from albedo_pipeline.provenance.weights import autoencoder_digest
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PredictionShards


def lineage_of(
    manifest: pd.DataFrame,
    denoiser: Denoiser,
    own: AlbedoEstimator,
    others: Mapping[str, AlbedoEstimator],
) -> dict[str, str]:
    """Digests of the pairs, of what the denoiser was trained with, and of all weights.

    `denoiser` is that of the weights that predict, and `autoencoder` that of the finished training;
    a checkpoint's may differ from it if the decoder is trained along.
    """
    trained = ("encoder", "autoencoder", "train_settings")
    training = {name: denoiser.made_from[name] for name in trained}
    predicting = {"denoiser": own.digests["denoiser"]}
    if own.digests["autoencoder"] != training["autoencoder"]:
        predicting["checkpoint_autoencoder"] = own.digests["autoencoder"]
    weights = {
        f"{name}_{part}": digest
        for name, estimator in others.items()
        for part, digest in estimator.digests.items()
    }
    return {"pairs": manifest_digest(manifest)} | training | predicting | weights


def lineage_of_set(lineage: dict[str, str], manifest: pd.DataFrame) -> dict[str, str]:
    """The lineage of the scores of a set: the same weights, on its pairs."""
    return lineage | {"pairs": manifest_digest(manifest)}


def check_trained(manifest: pd.DataFrame, denoiser: Denoiser, autoencoder: AutoencoderKL) -> None:
    """Check that a denoiser was trained on the pairs, and with the autoencoder, at hand.

    Raises:
        ProjectError: if it was not, or the manifest was changed.
    """
    check_manifest(manifest)
    at_hand = {"pairs": manifest_digest(manifest), "autoencoder": autoencoder_digest(autoencoder)}
    check_denoiser(denoiser.made_from, at_hand)


def check_inputs(
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: pd.DataFrame,
    lineage: dict,
    name: str = "predictions",
) -> None:
    """Check that the predictions are those of the lineage, and of the pairs at hand.

    Args:
        name: name of the predictions, for errors.

    Raises:
        ProjectError: if they are not.
    """
    pairs.check_manifest(manifest)
    again = "the pipeline evaluate"
    check_made_from("lineage", lineage, {"pairs": manifest_digest(manifest)}, again)
    at_hand = {"lineage": content_digest(lineage)}
    check_made_from(name, predictions.made_from(), at_hand, again)
