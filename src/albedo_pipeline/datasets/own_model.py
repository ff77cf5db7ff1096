"""The model that `predict` takes where it is told no other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from albedo_pipeline.errors import ProjectError


class OwnModelDataset(AbstractDataset[None, Callable[[], Any]]):
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
