"""Nodes of `autoencoder`."""

from albedo_pipeline.node_types import AutoencoderKL, DataFrame, PairShards
from albedo_pipeline.params import AutoencoderParams


def make_autoencoder(
    pairs: PairShards, manifest: DataFrame, params: AutoencoderParams
) -> AutoencoderKL:
    """The bundled, a pretrained, or a newly trained `AutoencoderKL`."""
    from albedo_pipeline.provenance.lineage import check_manifest
    from albedo_pipeline.runtime.device import open_device
    from albedo_pipeline.training.autoencoder import obtain_autoencoder

    pairs.check_manifest(manifest)
    check_manifest(manifest)
    rows = manifest.loc[manifest["split"] == "train", "row"].to_numpy()
    return obtain_autoencoder(pairs, rows, params, open_device(params.device, params.precision))


def check_autoencoder(
    autoencoder: AutoencoderKL, pairs: PairShards, manifest: DataFrame, params: AutoencoderParams
) -> dict:
    """Scores of the round trip on the validation split: the ceiling of any denoiser."""
    from albedo_pipeline.evaluation.round_trip import round_trip_report
    from albedo_pipeline.provenance.lineage import with_content
    from albedo_pipeline.provenance.weights import encoder_digest

    rows = manifest.loc[manifest["split"] == "validation", "row"].to_numpy()
    report = round_trip_report(autoencoder, pairs, rows, params)
    made_from = {"encoder": encoder_digest(autoencoder)}
    return with_content({"source": params.source} | report | made_from)
