"""Kedro datasets of diffusers models: folders with config.json and safetensors."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.runtime.atomic_files import replaced_folder
from albedo_pipeline.runtime.checksums import verified, write_checksums
from albedo_pipeline.runtime.remote_folder import has_file, local_copy
from albedo_pipeline.runtime.storage import location

_LORA = "pytorch_lora_weights.safetensors"
"""Name of the adapters' file in diffusers."""
_MADE_FROM = "made_from.json"


class AutoencoderDataset(AbstractDataset[Any, Any]):
    """An `AutoencoderKL`, float32, in eval mode, on the CPU.

    Args:
        filepath: the folder, or its URL; it is replaced in one step when a save succeeds.
        written_by: the pipeline that writes it, for errors.
    """

    def __init__(
        self, *, filepath: str, written_by: str = "autoencoder", metadata: dict | None = None
    ) -> None:
        self._folder = location(filepath)
        self._written_by = written_by
        self.metadata = metadata

    def load(self) -> Any:
        """Load the autoencoder.

        Raises:
            ProjectError: if the folder holds no model, or a damaged one.
        """
        from diffusers import AutoencoderKL

        folder = local_copy(self._folder)
        with verified(folder, self._written_by):
            return load_model(AutoencoderKL, folder, self._written_by)

    def save(self, data: Any) -> None:
        """Write the model."""
        with replaced_folder(self._folder) as folder:
            data.save_pretrained(folder)
            write_checksums(folder)

    def _exists(self) -> bool:
        return has_file(self._folder, "config.json")

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder)}


class DenoiserDataset(AbstractDataset[Any, Any]):
    """A `models.denoiser.Denoiser`.

    The folder has the subfolders `unet` and `scheduler`, as diffusers writes them, and the file
    `text_embedding.safetensors`. Adapters are stored separately from the UNet, in `lora`.
    `made_from.json` says what it was trained with.

    Args:
        filepath: the folder, or its URL; it is replaced in one step when a save succeeds.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._folder = location(filepath)
        self.metadata = metadata

    def load(self) -> Any:
        """Load the denoiser.

        Raises:
            ProjectError: if the folder holds no denoiser, or a damaged one.
        """
        folder = local_copy(self._folder)
        with verified(folder, "train"):
            return _read_denoiser(folder)

    def save(self, data: Any) -> None:
        """Write the UNet, its adapters if it has any, the scheduler and the text embedding."""
        from safetensors.torch import save_file

        from albedo_pipeline.models.lora import has_lora, without_lora

        adapted = has_lora(data.unet)
        with replaced_folder(self._folder) as folder:
            plain = without_lora(data.unet) if adapted else data.unet
            plain.save_pretrained(folder / "unet")
            if adapted:
                data.unet.save_lora_adapter(folder / "lora", weight_name=_LORA)
            data.scheduler.save_pretrained(folder / "scheduler")
            save_file(
                {"text_embedding": data.text_embedding.contiguous()},
                folder / "text_embedding.safetensors",
            )
            write_made_from(folder, data.made_from)
            write_checksums(folder)

    def _exists(self) -> bool:
        return has_file(self._folder, "unet/config.json")

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder)}


def _read_denoiser(folder: Path) -> Any:
    from diffusers import DDIMScheduler, UNet2DConditionModel
    from safetensors.torch import load_file

    from albedo_pipeline.models.denoiser import Denoiser

    unet = load_model(UNet2DConditionModel, folder / "unet", "train")
    try:
        if (folder / "lora").is_dir():
            weights = {"weight_name": _LORA, "use_safetensors": True}
            unet.load_lora_adapter(str(folder / "lora"), prefix=None, **weights)
        scheduler = DDIMScheduler.from_pretrained(folder / "scheduler")
        text_embedding = load_file(folder / "text_embedding.safetensors")["text_embedding"]
        made_from = read_made_from(folder)
    except Exception as error:
        raise ProjectError(
            f"{folder}: damaged model ({one_line(error)}); run the pipeline train again"
        ) from error
    return Denoiser(unet, scheduler, text_embedding, made_from)


class TrainedModelDataset(AbstractDataset[NoReturn, Callable[[], tuple[Any, Any]]]):
    """Loads a function that loads the trained denoiser and the autoencoder of its predictions.

    So a project without a training can compare other models.

    Args:
        denoiser: folder of the denoiser, or its URL.
        autoencoder: folder of the autoencoder, or its URL.
    """

    def __init__(self, *, denoiser: str, autoencoder: str, metadata: dict | None = None) -> None:
        self._denoiser = DenoiserDataset(filepath=denoiser)
        self._autoencoder = AutoencoderDataset(filepath=autoencoder, written_by="train")
        self.metadata = metadata

    def load(self) -> Callable[[], tuple[Any, Any]]:
        """Return the function; it raises ProjectError if a model is missing or damaged."""
        return lambda: (self._denoiser.load(), self._autoencoder.load())

    def save(self, data: NoReturn) -> None:
        """Refuse: the pipeline `train` writes the models.

        Raises:
            DatasetError: always.
        """
        raise DatasetError("the trained models are written by the pipeline train")

    def _describe(self) -> dict[str, object]:
        return {
            "denoiser": self._denoiser._describe(),
            "autoencoder": self._autoencoder._describe(),
        }


def write_made_from(folder: Path, digests: dict[str, str]) -> None:
    """Write the digests of what a model was made from; see `provenance.lineage`."""
    (folder / _MADE_FROM).write_text(json.dumps(digests, indent=2), encoding="utf-8")


def read_made_from(folder: Path) -> dict[str, str]:
    """The digests that `write_made_from` wrote; empty if an earlier version wrote the model."""
    file = folder / _MADE_FROM
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def load_model(model_class: Any, folder: Path, written_by: str) -> Any:
    """Load a diffusers model from a local folder of safetensors, in eval mode.

    Args:
        model_class: class with `from_pretrained`.
        folder: folder of the model.
        written_by: the pipeline that writes it.

    Raises:
        ProjectError: if the folder is missing or the model is damaged; names the folder.
    """
    from albedo_pipeline.provenance.weights import check_complete

    if not (folder / "config.json").is_file():
        raise ProjectError(f"{folder}: no model here; run the pipeline {written_by} first")
    try:
        model, keys = model_class.from_pretrained(
            folder, use_safetensors=True, output_loading_info=True
        )
        check_complete(model)
        if keys["unexpected_keys"]:
            name = min(keys["unexpected_keys"])
            raise ValueError(f"config.json describes a model without the weight {name}")
        return model.eval()
    except Exception as error:
        raise ProjectError(
            f"{folder}: damaged model ({one_line(error)}); run the pipeline {written_by} again"
        ) from error
