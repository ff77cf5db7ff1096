"""Hooks of the project's runs."""

import logging
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl

logger = logging.getLogger(__name__)


class Progress:
    """Tells of each result that is on disk, and ends by naming the report."""

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Any) -> None:
        """Tell of one result."""
        logger.info("%s: saved %s", node.name, dataset_name)

    @hook_impl
    def after_pipeline_run(self, pipeline: Any, catalog: Any) -> None:
        """Name the report, where the run was to make one."""
        if "report" in pipeline.outputs():
            logger.info("The report is ready: %s", Path(catalog["report"]._describe()["filepath"]))
