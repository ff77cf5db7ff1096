"""What an evaluation's scores come from: recorded before it starts, and checked before scoring."""

import pandas as pd
from diffusers import AutoencoderKL

from albedo_pipeline.evaluation.predictions import other_model
from albedo_pipeline.models.albedo_model import AlbedoModel
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.provenance.lineage import (
    check_denoiser,
    check_made_from,
    check_manifest,
    content_digest,
    manifest_digest,
)
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PredictionShards


def lineage_of(
    manifest: pd.DataFrame, denoiser: Denoiser, autoencoder: AutoencoderKL, params: EvaluateParams
) -> dict[str, str]:
    """Digests of the pairs, of what the denoiser was trained with, and of all weights.

    Raises:
        ProjectError: if the manifest was changed, the denoiser was trained with another autoencoder
            or other pairs, or a model to compare with cannot be loaded.
    """
    check_manifest(manifest)
    pairs, own = {"pairs": manifest_digest(manifest)}, AlbedoModel(denoiser, autoencoder).digests()
    check_denoiser(denoiser.made_from, pairs | {"autoencoder": own["autoencoder"]})
    training = {name: denoiser.made_from[name] for name in ("encoder", "train_settings")}
    others = {
        f"{name}_{part}": digest
        for name in params.compare_with
        for part, digest in other_model(name).digests().items()
    }
    return pairs | training | own | others


def check_inputs(
    predictions: PredictionShards, pairs: PairShards, manifest: pd.DataFrame, lineage: dict
) -> None:
    """Check that the predictions are those of the lineage, and of the pairs at hand.

    Raises:
        ProjectError: if they are not.
    """
    pairs.check_manifest(manifest)
    again = "the pipeline evaluate"
    check_made_from("lineage", lineage, {"pairs": manifest_digest(manifest)}, again)
    at_hand = {"lineage": content_digest(lineage)}
    check_made_from("predictions", predictions.made_from(), at_hand, again)
