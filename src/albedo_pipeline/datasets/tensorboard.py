"""Where training writes its TensorBoard events while it runs."""

import time
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError


class TensorBoardDataset(AbstractDataset[NoReturn, Any]):
    """A folder of TensorBoard runs. Loading begins a new run and gives its SummaryWriter.

    Args:
        filepath: the folder; every run gets a subfolder named by the time it began.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> Any:
        """A `SummaryWriter` of a new run."""
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(self._folder / time.strftime("%Y%m%d-%H%M%S"))

    def save(self, data: NoReturn) -> None:
        """Runs are written while they go on."""
        raise DatasetError("a TensorBoard folder is written by the training that loads it")

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder)}
