"""The exported model: a folder that diffusers opens, with its model card."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from albedo_pipeline.datasets.atomic import replaced_folder


class ExportedModelDataset(AbstractDataset[Any, Any]):
    """Saves a `models.export.Export`, loads a `models.albedo_model.AlbedoModel`.

    Args:
        filepath: the folder; replaced as a whole when a save succeeds.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> Any:
        """Raises ProjectError, naming the folder, where it holds no whole model."""
        from albedo_pipeline.models.albedo_model import load_albedo_model
        from albedo_pipeline.params.base import PretrainedModel

        return load_albedo_model(PretrainedModel(model=str(self._folder)))

    def save(self, data: Any) -> None:
        """Write the model and its card."""
        with replaced_folder(self._folder) as folder:
            data.pipeline.save_pretrained(folder, safe_serialization=True)
            (folder / "README.md").write_text(data.card, encoding="utf-8")

    def _exists(self) -> bool:
        return (self._folder / "model_index.json").is_file()

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder)}


class ExportFolderDataset(AbstractDataset[NoReturn, Path]):
    """Where the exported model lies, for what takes the folder as it is.

    Args:
        filepath: the folder.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        """The folder; it need not exist."""
        return self._folder

    def save(self, data: NoReturn) -> None:
        """The entry `export` writes it."""
        raise DatasetError(f"{self._folder}: is only read here; the entry export writes it")

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder)}
