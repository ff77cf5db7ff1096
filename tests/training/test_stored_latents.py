"""The decoder's training from stored latents: the latents of its images, without encoding."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.io import DatasetError

from albedo_pipeline.artifacts.checkpoints import Checkpoints, read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.pixels import quantize, to_tensor
from albedo_pipeline.models.autoencoder import BUNDLED_AUTOENCODER, load_pretrained
from albedo_pipeline.params.autoencoder import PretrainedAutoencoder
from albedo_pipeline.params.autoencoder_training import AutoencoderTraining
from albedo_pipeline.preprocessing.encode import LatentBuild
from albedo_pipeline.preprocessing.latent_rows import both_versions
from albedo_pipeline.provenance.weights import encoder_digest
from albedo_pipeline.shards.datasets import (
    EncodedLatentsDataset,
    LatentShardsDataset,
    PairShardsDataset,
)
from albedo_pipeline.training.image_batches import EncodedImageBatch, ImageStream
from albedo_pipeline.training.objectives.reconstruction import RoundTrip
from albedo_pipeline.training.stored_latents import open_stored_latents
from benchmarks.row_build import save_rows
from tests.support.autoencoder_training import settings, train

CPU = torch.device("cpu")
DECODER = {"train": "decoder", "albedo_share": 0.75, "stored_latents": True}


@pytest.fixture(scope="module")
def bundled():
    return load_pretrained(PretrainedAutoencoder(model=str(BUNDLED_AUTOENCODER)))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, bundled) -> Path:
    """A folder with eight random pairs of 16 x 16 pixels and their latents."""
    folder, random = tmp_path_factory.mktemp("project"), np.random.default_rng(0)
    pairs = PairShardsDataset(filepath=str(folder / "pairs"))
    save_rows(
        pairs,
        [
            {
                "sample_id": f"s{i}",
                "group": f"g{i}",
                "beauty": quantize(random.random((3, 16, 16), dtype=np.float32)),
                "albedo": quantize(random.random((3, 16, 16), dtype=np.float32)),
                "valid": np.ones((1, 16, 16), np.uint8),
            }
            for i in range(8)
        ],
    )
    build = LatentBuild(pairs.load(), samples(folder), bundled, 4, CPU, "fp32")
    LatentShardsDataset(filepath=str(folder / "latents"), samples_per_shard=3).save(build)
    return folder


def samples(folder: Path) -> pd.DataFrame:
    """The manifest: six samples to train on, two for validation."""
    scalars = PairShardsDataset(filepath=str(folder / "pairs")).load().scalars.to_pandas()
    return scalars.assign(row=range(8), split=["train"] * 6 + ["validation"] * 2)


def new_stream(project: Path, bundled, side: int) -> ImageStream:
    params = AutoencoderTraining.model_validate({"max_steps": 9, "effective_batch_size": 8})
    opener = EncodedLatentsDataset(folder=str(project / "latents")).load()
    latents = open_stored_latents(opener, samples(project), bundled)
    pairs = PairShardsDataset(filepath=str(project / "pairs")).load()
    return ImageStream(pairs, np.arange(6), params, side, (4, 0, 0), latents)


def test_the_latents_of_uncropped_images_are_those_that_encoding_gives(project, bundled) -> None:
    batch = new_stream(project, bundled, 16).batch(0, range(8))
    assert isinstance(batch, EncodedImageBatch)
    for image, latent in zip(batch.images, batch.latents, strict=True):  # some are flipped
        expected = both_versions(bundled, image[None], CPU, "fp32")[0, 0].float()
        torch.testing.assert_close(latent, expected, rtol=0, atol=2e-3)  # encoded flipped: rounding


def test_the_latent_of_a_crop_is_cut_from_that_of_its_image(project, bundled) -> None:
    stream = new_stream(project, bundled, 8)
    batch = stream.batch(1, range(8))
    cell, found = 16 // stream._latents.shards.shapes("albedo")[0, -1], 0
    for place, (crop, latent) in enumerate(zip(batch.images, batch.latents, strict=True)):
        kind, row = stream._find(1, place)
        image = to_tensor(stream._pairs.tensor(kind, row))
        both = stream._latents.shards.tensor(kind, row)
        for version, whole in enumerate((image, image.flip(-1))):
            for top in range(0, 9, cell):
                for left in range(0, 9, cell):
                    if torch.equal(whole[:, top : top + 8, left : left + 8], crop):
                        y, x, n = top // cell, left // cell, 8 // cell
                        square = both[version][:, y : y + n, x : x + n].astype(np.float32)
                        assert torch.equal(latent, torch.from_numpy(square))
                        found += 1
    assert found == 8


@torch.no_grad()
def test_stored_latents_are_decoded_as_encoded_ones(project, bundled) -> None:
    batch = new_stream(project, bundled, 16).batch(0, range(2))
    model = RoundTrip(bundled, trains_encoder=False)
    encoded, mean, _ = model(batch.images, batch.noise)
    stored, nothing, _ = model(batch.images, batch.noise, batch.latents)
    assert mean is not None
    assert nothing is None
    torch.testing.assert_close(stored, encoded, rtol=0, atol=5e-3)


def test_a_decoder_learns_from_them_and_resumes(project, bundled) -> None:
    pairs = PairShardsDataset(filepath=str(project / "pairs")).load()

    def run(name: str, **changes) -> dict[str, torch.Tensor]:
        params = settings("finetune", **DECODER | changes)
        tuned = train(pairs, project / name, params, samples(project))
        assert encoder_digest(tuned) == encoder_digest(bundled)
        return tuned.state_dict()

    decay = {"learning_rate": {"warmup_steps": 1, "decay_steps": 4}}
    whole = run("whole", **decay)
    run("cut", **decay, max_steps=2)
    cut = run("cut", **decay)
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
    log = pd.read_parquet(Checkpoints(project / "whole").path(4) / "log.parquet")
    assert log["loss_mse"].notna().all()
    assert "loss_kl" not in log or log["loss_kl"].isna().all()  # nothing was encoded
    kept = read_json(Checkpoints(project / "whole").path(4), "config.json")["result_settings"]
    assert kept["stored_latents"] is True
    assert "data.latents" in kept
    run("encoding", **decay, stored_latents=False)
    other = pd.read_parquet(Checkpoints(project / "encoding").path(4) / "log.parquet")
    # The latents were rounded to float16.
    assert log["loss_mse"].to_list() != other["loss_mse"].to_list()
    assert log["loss_mse"].to_numpy() == pytest.approx(other["loss_mse"].to_numpy(), rel=2e-3)
    kept = read_json(Checkpoints(project / "encoding").path(4), "config.json")["result_settings"]
    assert not {"stored_latents", "data.latents"} & set(kept)


def test_latents_that_are_missing_or_of_another_encoder_are_named(project, bundled) -> None:
    nothing = EncodedLatentsDataset(folder=str(project / "nowhere"))
    with pytest.raises(ProjectError, match=r"stored_latents: no latents .*nowhere.* and encode"):
        open_stored_latents(nothing.load(), samples(project), bundled)
    with pytest.raises(DatasetError, match="by the pipeline encode"):
        nothing.save(1)
    latents, manifest = EncodedLatentsDataset(folder=str(project / "latents")), samples(project)
    with pytest.raises(ProjectError, match=r"latents: not made from the pairs at hand"):
        open_stored_latents(latents.load(), manifest.assign(split="test"), bundled)
    source = PretrainedAutoencoder(model=str(BUNDLED_AUTOENCODER))
    other = load_pretrained(source)
    other.register_to_config(scaling_factor=0.5)
    with pytest.raises(ProjectError, match=r"latents: not made from the encoder at hand"):
        open_stored_latents(latents.load(), manifest, other)


def test_they_need_a_frozen_encoder() -> None:
    with pytest.raises(ValueError, match="stored_latents needs train 'decoder'"):
        AutoencoderTraining.model_validate({"max_steps": 1, "stored_latents": True})
