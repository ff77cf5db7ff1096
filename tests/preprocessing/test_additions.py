"""If ten pairs are added to a thousand, `ingest` and `encode` make only these ten."""

import logging
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.params import IngestParams
from albedo_pipeline.preprocessing.encode import LatentBuild
from albedo_pipeline.preprocessing.ingest import PairBuild
from albedo_pipeline.preprocessing.manifest import manifest_of
from albedo_pipeline.readers.filename_list import FilenameListDataset
from albedo_pipeline.shards.datasets import LatentShardsDataset, PairShardsDataset
from albedo_pipeline.shards.latent_shards import LatentShards


def made(label: str, caplog: pytest.LogCaptureFixture) -> tuple[int, int]:
    """Number of samples that the last run made, and number of all samples."""
    counts = re.findall(rf"{label}: (\d+) of (\d+) samples to make", caplog.text)
    return tuple(map(int, counts[-1]))


def run(
    listed: FilenameListDataset, folder: Path, autoencoder: AutoencoderKL
) -> tuple[pd.DataFrame, LatentShards]:
    """Run `ingest` and `encode`; returns the manifest and the latents."""
    params = IngestParams(resolution=16)
    pairs = PairShardsDataset(filepath=str(folder / "pairs"), samples_per_shard=64)
    pairs.save(PairBuild(listed.load(), params))
    manifest = manifest_of(pairs.load(), params.split)
    latents = LatentShardsDataset(filepath=str(folder / "latents"))
    cpu = torch.device("cpu")
    latents.save(LatentBuild(pairs.load(), manifest, autoencoder, 8, cpu, "fp32"))
    return manifest.set_index("sample_id"), latents.load()


@pytest.mark.slow
def test_only_added_samples_are_made_and_no_sample_changes_its_split(
    pair_list: Callable[..., FilenameListDataset],
    autoencoder: AutoencoderKL,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    listed = pair_list(groups=101, views=10, side=16)
    names = tmp_path / "raw" / "pairs.txt"
    all_names = names.read_text().splitlines(keepends=True)
    names.write_text("".join(name for i, name in enumerate(all_names) if i % 101))
    before, _ = run(listed, tmp_path, autoencoder)
    assert made("ingest", caplog) == made("encode", caplog) == (1000, 1000)

    names.write_text("".join(all_names))
    after, latents = run(listed, tmp_path, autoencoder)
    assert made("ingest", caplog) == made("encode", caplog) == (10, 1010)
    assert (after.loc[before.index, "split"] == before["split"]).all()
    encoded = latents.scalars.to_pandas().set_index("sample_id")["split"]
    assert (encoded == after.loc[encoded.index, "split"]).all()
