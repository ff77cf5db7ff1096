"""Where training writes its TensorBoard events while it runs."""

from pathlib import Path
from typing import NoReturn

from kedro.io import AbstractDataset, DatasetError


class TensorBoardDataset(AbstractDataset[NoReturn, Path]):
    """A folder of TensorBoard runs, one subfolder a run; loading gives its path.

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
        """Runs are written while they go on."""
        raise DatasetError("a TensorBoard folder is written by the training that loads it")

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder)}
