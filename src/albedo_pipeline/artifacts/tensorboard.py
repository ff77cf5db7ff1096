"""The folder that training writes its TensorBoard events to."""

from pathlib import Path
from typing import NoReturn

from kedro.io import AbstractDataset, DatasetError

from albedo_pipeline.runtime.remote_folder import working_copy
from albedo_pipeline.runtime.storage import location


class TensorBoardDataset(AbstractDataset[NoReturn, Path]):
    """Loads the path of a folder of TensorBoard runs, one subfolder a run.

    Args:
        filepath: the folder.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._folder = location(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        """Return the folder, or its working copy on the disk; it need not exist."""
        return working_copy(self._folder)

    def save(self, data: NoReturn) -> None:
        """Refuse: the training writes its runs itself.

        Raises:
            DatasetError: always.
        """
        raise DatasetError("a TensorBoard folder is written by the training that loads it")

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder)}
