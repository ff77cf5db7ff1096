"""The exported model: a folder that diffusers opens, with its model card."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from albedo_pipeline.artifacts.models import write_made_from
from albedo_pipeline.runtime.atomic_files import replaced_folder
from albedo_pipeline.runtime.checksums import write_checksums
from albedo_pipeline.runtime.remote_folder import has_file, local_copy
from albedo_pipeline.runtime.storage import location


class ExportedModelDataset(AbstractDataset[Any, Any]):
    """Saves a `models.export.Export`, loads a `models.albedo_model.AlbedoModel`.

    Args:
        filepath: the folder, or its URL; it is replaced in one step when a save succeeds.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._folder = location(filepath)
        self.metadata = metadata

    def load(self) -> Any:
        """Open the model.

        Raises:
            ProjectError: if the folder holds no model, or a damaged one.
        """
        from albedo_pipeline.models.albedo_model import load_albedo_model
        from albedo_pipeline.params.base import PretrainedModel

        return load_albedo_model(PretrainedModel(model=str(local_copy(self._folder))))

    def save(self, data: Any) -> None:
        """Write the model, its card, `made_from.json`, and the reference with its check."""
        with replaced_folder(self._folder) as folder:
            data.pipeline.save_pretrained(folder, safe_serialization=True)
            (folder / "README.md").write_text(data.card, encoding="utf-8")
            write_made_from(folder, data.made_from)
            data.reference.write(folder)
            write_checksums(folder)

    def _exists(self) -> bool:
        return has_file(self._folder, "model_index.json")

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder)}


class ExportFolderDataset(AbstractDataset[NoReturn, Path]):
    """Loads the path of the exported model, for nodes that use the folder itself.

    Args:
        filepath: the folder, or its URL.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._folder = location(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        """Return the folder, or a copy of the one in object storage; it need not exist."""
        return local_copy(self._folder)

    def save(self, data: NoReturn) -> None:
        """Refuse: the catalog's entry `export` writes the folder.

        Raises:
            DatasetError: always.
        """
        raise DatasetError(
            f"{self._folder}: this entry is read-only; the catalog's entry export writes the folder"
        )

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder)}
