"""A training is of the latents, pairs and autoencoder at hand, and says so."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params import TrainParams
from albedo_pipeline.preprocessing.encode import LatentBuild
from albedo_pipeline.shards.datasets import LatentShardsDataset
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.training.lineage import check_latents, check_start, made_from
from albedo_pipeline.training.validation import ImageData


def stored(params: TrainParams) -> dict:
    """Content of `train_settings.json` for a training without a change of course."""
    return params.model_dump(mode="json")


@pytest.fixture
def images(images: ImageData) -> ImageData:
    """Images with the complete manifest."""
    scalars = images.pairs.scalars.to_pandas()
    manifest = scalars.assign(row=range(len(scalars)), split="train")
    return replace(images, manifest=manifest)


@pytest.fixture
def encoded(images: ImageData, tmp_path: Path) -> LatentShards:
    dataset = LatentShardsDataset(filepath=str(tmp_path / "encoded"))
    cpu = torch.device("cpu")
    build = LatentBuild(images.pairs, images.manifest, images.autoencoder, 4, cpu, "fp32")
    dataset.save(build)
    return dataset.load()


def test_latents_of_another_autoencoder_are_refused(images, encoded, train_params) -> None:
    sets = {"latents": encoded}
    check_latents(sets, images, train_params())
    torch.nn.init.ones_(images.autoencoder.decoder.conv_out.bias)  # latents do not depend on it
    check_latents(sets, images, train_params())
    images.autoencoder.register_to_config(scaling_factor=0.5)
    with pytest.raises(ProjectError, match=r"encoded: not made from the encoder .* encode again"):
        check_latents(sets, images, train_params())


def test_latents_of_other_pairs_are_refused(images, encoded, train_params) -> None:
    newer = replace(images, manifest=images.manifest.assign(split="test"))
    params = train_params()
    with pytest.raises(ProjectError, match=r"encoded: not made from the pairs .* encode again"):
        check_latents({"latents": encoded}, newer, params)
    others = train_params(mixture={"others": 1})  # those of another project, of other pairs
    check_latents({"others": encoded}, newer, others)
    assert "pairs" in made_from(
        {"latents": encoded}, images, params, images.autoencoder, stored(params)
    )
    assert "pairs" not in made_from(
        {"others": encoded}, newer, others, images.autoencoder, stored(others)
    )


def test_latents_of_an_earlier_version_are_refused(images, latents, train_params) -> None:
    with pytest.raises(ProjectError, match=r"latents: damaged, or from an earlier .* encode again"):
        check_latents({"latents": latents}, images, train_params())


def test_a_start_that_learned_other_latents_is_refused(
    images, encoded, train, train_params, caplog: pytest.LogCaptureFixture
) -> None:
    start = train("first").denoiser
    with caplog.at_level(logging.WARNING):
        check_start("folder", start, images.autoencoder)
    assert "does not say whose latents" in caplog.text
    params = train_params()
    origin = made_from({"latents": encoded}, images, params, images.autoencoder, stored(params))
    start = replace(start, made_from=origin)
    torch.nn.init.ones_(images.autoencoder.decoder.conv_out.bias)
    check_start("folder", start, images.autoencoder)  # a decoder that was trained along
    torch.nn.init.ones_(images.autoencoder.encoder.conv_in.bias)
    with pytest.raises(ProjectError, match=r"train\.start_from folder: learned the latents of"):
        check_start("folder", start, images.autoencoder)


def test_a_change_of_course_changes_the_digest(images, encoded, train_params) -> None:
    params = train_params()
    plain = stored(params)
    inputs = {"latents": encoded}, images, params, images.autoencoder
    steered = plain | {"history": [{"step": 2, "resumed_from": "step-00000002", "changes": {}}]}
    one, other = (made_from(*inputs, settings)["train_settings"] for settings in (plain, steered))
    assert one != other


def test_settings_that_change_no_weight_leave_the_digests(images, encoded, train_params) -> None:
    def digests(**changes) -> dict[str, str]:
        params = train_params(**changes)
        return made_from({"latents": encoded}, images, params, images.autoencoder, stored(params))

    assert digests(on_mismatch="restart", log_every=2, micro_batch_size=2) == digests()
    assert digests(max_steps=4) != digests()
    assert digests(seed=6) != digests()
