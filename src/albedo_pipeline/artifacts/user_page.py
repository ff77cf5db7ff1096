"""The HTML page beside the user's predictions."""

import logging

from kedro.io import AbstractDataset

from albedo_pipeline.runtime.atomic_files import write_text
from albedo_pipeline.runtime.storage import on_disk

logger = logging.getLogger(__name__)


class UserPageDataset(AbstractDataset[str, str]):
    """The text of the page.

    It appears complete or not at all, because a browser may show the page while it is written.

    Args:
        filepath: path of the page.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._path = on_disk(filepath, "the page of your predictions")
        self.metadata = metadata

    def load(self) -> str:
        """Read the page."""
        return self._path.read_text(encoding="utf-8")

    def save(self, data: str) -> None:
        """Write the page; its folder must exist."""
        write_text(self._path, data)
        logger.info("The page is ready: %s", self._path.absolute().as_uri())

    def _exists(self) -> bool:
        return self._path.is_file()

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._path)}
