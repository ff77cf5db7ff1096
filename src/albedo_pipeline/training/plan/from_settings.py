"""The networks that a training will have, from its settings."""

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.models.albedo_model import BUNDLED_ESTIMATOR
from albedo_pipeline.models.autoencoder import BUNDLED_AUTOENCODER, new_autoencoder
from albedo_pipeline.models.denoiser import check_channels, new_unet
from albedo_pipeline.params import AutoencoderParams, IngestParams, TrainParams
from albedo_pipeline.params.base import BUNDLED
from albedo_pipeline.training.plan.networks import (
    AutoencoderConfig,
    AutoencoderNetworks,
    Config,
    Networks,
)


def networks_of_settings(
    train: TrainParams, autoencoder: AutoencoderParams, ingest: IngestParams
) -> Networks:
    """The networks that a training with these settings has.

    Of a model on the Hub, only its configuration is downloaded. Images are taken as square.

    Raises:
        ProjectError: if a configuration cannot be read, or the networks or the image size do not
            fit each other.
    """
    encoder = AutoencoderConfig(autoencoder=_autoencoder_config(autoencoder))
    side, factor = train.augmentation.crop or ingest.resolution, encoder.factor
    if side % factor:
        name = "train.augmentation.crop" if train.augmentation.crop else "ingest.resolution"
        raise ProjectError(
            f"{name}: {side} is not a multiple of {factor}, the autoencoder's factor"
        )
    unet = _unet_config(train, encoder.latent_channels)
    return Networks(
        unet=unet, autoencoder=encoder.autoencoder, size=(side // factor, side // factor)
    )


def autoencoder_networks_of_settings(
    params: AutoencoderParams, ingest: IngestParams
) -> AutoencoderNetworks:
    """The networks of a training of the autoencoder; images are taken as square.

    Raises:
        ProjectError: if a configuration cannot be read, or the image size does not fit it.
    """
    assert params.training is not None  # the caller plans a training
    side = params.training.crop or ingest.resolution
    networks = AutoencoderNetworks(
        autoencoder=_autoencoder_config(params), side=side, precision=params.precision
    )
    if networks.cells * networks.factor != side:
        name = "autoencoder.training.crop" if params.training.crop else "ingest.resolution"
        raise ProjectError(f"{name}: {side} is not a multiple of {networks.factor}")
    return networks


def _autoencoder_config(params: AutoencoderParams) -> Config:
    if params.source == "train":
        assert params.training is not None  # checked by AutoencoderParams
        with torch.device("meta"):
            return dict(new_autoencoder(params.training).config)
    if params.source == "bundled" or params.pretrained is None:
        return _config(AutoencoderKL, BUNDLED_AUTOENCODER, "autoencoder.source")
    source = params.pretrained
    place = {"subfolder": source.subfolder, "revision": source.revision}
    return _config(AutoencoderKL, source.model, "autoencoder.pretrained.model", **place)


def _unet_config(params: TrainParams, latent_channels: int) -> Config:
    key, place = "train.start_from", {"subfolder": "unet"}
    if params.start_from is not None:
        folder = BUNDLED_ESTIMATOR if params.start_from == BUNDLED else Path(params.start_from)
        config = _config(UNet2DConditionModel, folder, key, **place)
        check_channels(f"{key} {params.start_from}", config, latent_channels)
        return config
    if params.source == "scratch":
        with torch.device("meta"):
            return dict(new_unet(params.scratch, latent_channels).config)
    source, key = params.pretrained, "train.pretrained.model"
    assert source is not None  # checked by TrainParams
    config = _config(UNet2DConditionModel, source.model, key, revision=source.revision, **place)
    check_channels(f"{key} {source.model}", config, latent_channels)
    return config | {"in_channels": 2 * latent_channels}


def _config(model_class: Any, model: str | Path, key: str, **place: str | None) -> Config:
    """The `config.json` of a model on the Hub or in a folder.

    Raises:
        ProjectError: if there is none; names the setting `key`.
    """
    folder = Path(model, place.get("subfolder") or "")
    is_local = isinstance(model, Path) or Path(model).is_dir()
    if is_local and not (folder / "config.json").is_file():
        raise ProjectError(f"{key} {model}: no model here; {folder} has no config.json")
    try:
        return dict(model_class.load_config(model, **place))
    except (OSError, ValueError) as error:
        raise ProjectError(f"{key} {model}: {one_line(error)}") from error
