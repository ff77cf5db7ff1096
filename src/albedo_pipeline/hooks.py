"""Kedro hooks of the project's runs."""

import logging
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

from kedro.framework.hooks import hook_impl
from kedro.io import MemoryDataset

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.pipeline_registry import (
    DEFAULT_PIPELINES,
    SEPARATE_PIPELINES,
    register_pipelines,
)
from albedo_pipeline.runtime.distributed import rank, world_size

logger = logging.getLogger(__name__)
SECTIONS = ("synthesize", *DEFAULT_PIPELINES, *SEPARATE_PIPELINES)
"""Top-level keys of the parameters, one for each pipeline."""


class RejectUnknownNames:
    """Stops a run if the parameters or the catalog have a name that no pipeline uses."""

    @hook_impl
    def before_pipeline_run(self, catalog: Any) -> None:
        """Check the top-level keys of the parameters and the names of the catalog entries.

        Raises:
            ProjectError: if a name is unknown; a misspelt one gets a suggestion.
        """
        for section in catalog["parameters"].load():
            _check_known(section, SECTIONS, "parameters: no pipeline reads")
        used = {name for p in register_pipelines().values() for name in p.datasets()}
        for name in list(catalog):
            if not name.startswith("param"):
                _check_known(name, used, "catalog: no pipeline uses")


def _check_known(name: str, known: Collection[str], complaint: str) -> None:
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "remove it or correct its name"
        raise ProjectError(f"{complaint} {name!r}; {hint}")


class DistributedRuns:
    """Under torchrun, every process runs the pipeline, and only rank 0 logs and saves results."""

    SHARED_OUTPUTS: ClassVar = {"autoencoder": set(), "encode": {"latents"}, "train": set()}
    """Pipelines that torchrun may run, with the outputs that all their processes write together."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Any, catalog: Any) -> None:
        """Silence the processes of other ranks, and keep their results in memory.

        Raises:
            ProjectError: if a pipeline is run under torchrun that cannot be divided.
        """
        if world_size() == 1:
            return
        others = sorted({n.name for n in pipeline.nodes if not n.tags & set(self.SHARED_OUTPUTS)})
        if others:
            raise ProjectError(
                f"torchrun: only the pipelines {', '.join(map(repr, self.SHARED_OUTPUTS))} run "
                f"in several processes, not {', '.join(others)}; use plain `kedro run` for these"
            )
        if rank():
            logging.disable(logging.WARNING)
            for name in pipeline.all_outputs() - set.union(*self.SHARED_OUTPUTS.values()):
                catalog[name] = MemoryDataset()


class UnlinkDvcCache:
    """Replaces results that are links into DVC's cache, so that saving keeps the cache intact."""

    @hook_impl
    def before_pipeline_run(self, catalog: Any) -> None:
        """Keep the catalog, because Kedro gives `before_dataset_saved` only a dataset's name."""
        self._catalog = catalog

    @hook_impl
    def before_dataset_saved(self, dataset_name: str) -> None:
        """Remove the file of a kedro_datasets entry if it is a symbolic or hard link.

        The project's own datasets need no help: they write a new file, and replace the old one
        when the new one is complete.
        """
        dataset = self._catalog[dataset_name]
        if not type(dataset).__module__.startswith("kedro_datasets."):
            return
        path = Path(dataset._describe()["filepath"])
        if path.is_file() and (path.is_symlink() or path.stat().st_nlink > 1):
            path.unlink()


class LogResults:
    """Logs every saved result, and the path of the report at the end of a run that makes it."""

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Any) -> None:
        """Log that a result is saved."""
        logger.info("%s: saved %s", node.name, dataset_name)

    @hook_impl
    def after_pipeline_run(self, pipeline: Any, catalog: Any) -> None:
        """Log the path of the report if the run made one."""
        if "report" in pipeline.outputs():
            logger.info("The report is ready: %s", Path(catalog["report"]._describe()["filepath"]))
