"""The exported model: a folder that diffusers opens, with its model card."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime.atomic_files import replaced_folder


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


class ProjectModelDataset(AbstractDataset[None, Callable[[], Any]]):
    """The project's own export. `load()` gives a function that opens it: Kedro loads a node's
    inputs before it runs, and a run with a model of the user's needs no export.

    Args:
        filepath: the exported folder.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> Callable[[], Any]:
        """The function raises ProjectError where the folder holds no model; it names both ways
        to come by one."""
        return self._opened

    def save(self, data: None) -> None:
        """Refused: `export` writes the folder.

        Raises:
            ProjectError: always.
        """
        raise ProjectError(f"{self._folder}: is only read here; the pipeline export writes it")

    def _opened(self) -> Any:
        from albedo_pipeline.models.albedo_model import load_albedo_model
        from albedo_pipeline.params.base import PretrainedModel

        if not (self._folder / "model_index.json").is_file():
            raise ProjectError(
                f"predict.model: is not set, and {self._folder} holds no exported model; run the "
                "pipeline export first, or set predict.model to a folder or Hub id"
            )
        return load_albedo_model(PretrainedModel(model=str(self._folder)))

    def _exists(self) -> bool:
        return (self._folder / "model_index.json").is_file()

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder)}
