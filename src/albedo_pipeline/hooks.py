"""Hooks of the project's runs."""

import logging
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

from kedro.framework.hooks import hook_impl
from kedro.io import MemoryDataset

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.pipeline_registry import APART, CHAIN, register_pipelines
from albedo_pipeline.runtime.distributed import rank, world_size

logger = logging.getLogger(__name__)
SECTIONS = ("synthesize", *CHAIN, *APART)
"""Top-level keys of the parameters: one a pipeline."""


class Names:
    """Stops a run that names a section or a dataset which nothing reads: a slip of the pen."""

    @hook_impl
    def before_pipeline_run(self, catalog: Any) -> None:
        """Raise ProjectError for the first unknown name."""
        for section in catalog["parameters"].load():
            _require(section, SECTIONS, "parameters: no pipeline reads")
        used = {name for p in register_pipelines().values() for name in p.datasets()}
        for name in list(catalog):
            if not name.startswith("param"):
                _require(name, used, "catalog: no pipeline uses")


def _require(name: str, known: Any, complaint: str) -> None:
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ProjectError(f"{complaint} {name!r}{hint}")


class Processes:
    """Under torchrun every process runs the pipeline; the first one alone writes results."""

    SHARED: ClassVar = {"train": set(), "encode": {"latents"}}
    """Pipelines that run so, and what of theirs all processes write together."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Any, catalog: Any) -> None:
        """Silence the other processes, and keep their results in memory.

        Raises:
            ProjectError: where a pipeline is run so that cannot be divided.
        """
        if world_size() == 1:
            return
        others = sorted({n.name for n in pipeline.nodes if not n.tags & set(self.SHARED)})
        if others:
            raise ProjectError(
                f"torchrun: only the pipelines {' and '.join(map(repr, self.SHARED))} run in "
                f"several processes, not {', '.join(others)}"
            )
        if rank():
            logging.disable(logging.WARNING)
            for name in pipeline.all_outputs() - set.union(*self.SHARED.values()):
                catalog[name] = MemoryDataset()


class Links:
    """Results that DVC has linked to its cache are replaced, never written through."""

    @hook_impl
    def before_pipeline_run(self, catalog: Any) -> None:
        """Keep the catalog: the next hook is told names alone."""
        self._catalog = catalog

    @hook_impl
    def before_dataset_saved(self, dataset_name: str) -> None:
        """Part a file from its other links; the cache keeps what it held.

        The project's own datasets replace files themselves, when the new ones are whole.
        """
        dataset = self._catalog[dataset_name]
        if not type(dataset).__module__.startswith("kedro_datasets."):
            return
        path = Path(dataset._describe()["filepath"])
        if path.is_file() and (path.is_symlink() or path.stat().st_nlink > 1):
            path.unlink()


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
