"""Settings of `autoencoder` and `encode`."""

from typing import Literal, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.autoencoder_training import AutoencoderTraining
from albedo_pipeline.params.base import (
    Device,
    Params,
    Precision,
    PretrainedModel,
    TrainingPrecision,
)
from albedo_pipeline.params.compute import LOCAL, ComputeParams
from albedo_pipeline.params.loading import DEFAULT_LOADING, WeightLoading


class PretrainedAutoencoder(PretrainedModel):
    """An `AutoencoderKL` of the Hub, or in a local folder."""

    subfolder: str | None = None
    """Subfolder of the repository that holds it, such as `vae`; null is the top folder."""


class AutoencoderParams(Params):
    """Which autoencoder the project uses."""

    source: Literal["bundled", "pretrained", "train", "finetune"] = "bundled"
    """`bundled` ships with the package, `pretrained` is loaded, `train` is trained from random
    weights, and `finetune` is trained on from `pretrained`, or from the bundled one."""
    pretrained: PretrainedAutoencoder | None = None
    """Which autoencoder is loaded; needed with `source: pretrained`. With `source: finetune`, null
    is the bundled one."""
    loading: WeightLoading = DEFAULT_LOADING
    """How its weights are put into the network, with `source: pretrained` or `finetune`."""
    training: AutoencoderTraining | None = None
    """How it is trained with `source: train` or `finetune`."""
    device: Device = "auto"
    """Device of the training and of the round trip."""
    precision: TrainingPrecision = "bf16"
    """Precision of the forward pass; weights are fp32."""
    batch_size: int = Field(32, ge=1)
    """Images in a batch when the round trip is measured."""

    @model_validator(mode="after")
    def _source_is_described(self) -> Self:
        if self.source == "pretrained" and self.pretrained is None:
            raise ValueError("source 'pretrained' needs the key 'pretrained'")
        if self.is_trained and self.training is None:
            raise ValueError(f"source {self.source!r} needs the key 'training'")
        if self.loading != DEFAULT_LOADING and self.source in ("bundled", "train"):
            raise ValueError("loading needs source 'pretrained' or 'finetune'")
        if self.loading.ignore and self.source == "pretrained":
            raise ValueError(
                "loading.ignore leaves weights random, and source 'pretrained' does not train "
                "them; set source 'finetune'"
            )
        if self.source == "train" and self.training and self.training.train != "all":
            raise ValueError("source 'train' needs training.train 'all'")
        return self

    @property
    def is_trained(self) -> bool:
        """Whether the project trains it."""
        return self.source in ("train", "finetune")


class EncodeParams(Params):
    """How pairs become latents."""

    batch_size: int = Field(32, ge=1)
    """Images in a batch on a GPU; a CPU encodes one image on each core. It changes the latents by
    no more than rounding."""
    device: Device = "auto"
    """Device that encodes."""
    precision: Precision = "fp32"
    """Precision of the autoencoder."""
    compute: ComputeParams = LOCAL
    """Where the pairs are encoded."""
