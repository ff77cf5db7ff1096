"""Predictions of whole splits, as rows of the prediction shards."""

from collections.abc import Iterator

import pandas as pd
from diffusers import AutoencoderKL

from albedo_pipeline.datasets.pair_shards import PairShards
from albedo_pipeline.datasets.shard_files import Row
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.pixels import from_tensor, quantize, to_tensor
from albedo_pipeline.inference.predict import predict_albedo
from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.models.device import pick_device
from albedo_pipeline.models.encoding import round_trip
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.progress import progress


def predictions(
    pairs: PairShards,
    manifest: pd.DataFrame,
    denoiser: Denoiser,
    autoencoder: AutoencoderKL,
    params: EvaluateParams,
) -> Iterator[Row]:
    """Prediction and round trip of every sample of the configured splits.

    Raises:
        ProjectError: where they have none, or manifest and pairs are of different runs.
    """
    pairs.check_manifest(manifest)
    device = pick_device(params.device)
    denoiser.unet.to(device)
    autoencoder.to(device)
    samples = manifest[manifest["split"].isin(params.splits)]
    if samples.empty:
        raise ProjectError(f"evaluate.splits: no sample is in {', '.join(params.splits)}")
    batches = [
        samples.set_index("row", drop=False).loc[rows]
        for rows in pairs.batches(samples["row"], params.batch_size)
    ]
    for batch in progress(batches, len(batches), "evaluate"):
        beauty = to_tensor(pairs.batch("beauty", batch["row"])).to(device)
        albedo = to_tensor(pairs.batch("albedo", batch["row"]))
        predicted = predict_albedo(
            denoiser,
            autoencoder,
            beauty,
            batch["sample_id"].tolist(),
            seed=params.seed,
            steps=params.steps,
            ensemble=params.ensemble,
            precision=params.precision,
        )
        ceiling = round_trip(autoencoder, albedo, device, params.precision)
        images = {"prediction": predicted, "roundtrip": ceiling}
        stored = {name: quantize(from_tensor(image)) for name, image in images.items()}
        for place, sample in enumerate(batch.itertuples()):
            identity = {"sample_id": sample.sample_id, "group": sample.group, "split": sample.split}
            yield identity | {name: planes[place] for name, planes in stored.items()}
