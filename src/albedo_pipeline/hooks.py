"""Kedro hooks of the project's runs."""

import json
import logging
import time
from collections.abc import Collection
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

from kedro.framework.hooks import hook_impl
from kedro.io import MemoryDataset

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.pipeline_registry import (
    DEFAULT_PIPELINES,
    RENDERED_PIPELINES,
    SEPARATE_PIPELINES,
    register_pipelines,
)
from albedo_pipeline.runtime.atomic_files import write_text
from albedo_pipeline.runtime.distributed import rank, world_size
from albedo_pipeline.runtime.storage import is_remote, location

logger = logging.getLogger(__name__)
SECTIONS = (*RENDERED_PIPELINES, *DEFAULT_PIPELINES, *SEPARATE_PIPELINES)
"""Top-level keys of the parameters, one for each pipeline."""
_RUNNER = "kedro.runner"
"""Logger of the runners."""
_MINUTE = 60
"""Seconds."""


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

    TRAININGS: ClassVar = {"autoencoder", "train"}
    """Pipelines that torchrun may run: they train."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Any, catalog: Any) -> None:
        """Silence the processes of other ranks, and keep their results in memory.

        Raises:
            ProjectError: if another pipeline is run under torchrun.
        """
        if world_size() == 1:
            return
        others = sorted({node.name for node in pipeline.nodes if not node.tags & self.TRAININGS})
        if others:
            raise ProjectError(
                f"torchrun: only the pipelines {', '.join(map(repr, sorted(self.TRAININGS)))} run "
                f"under it, not {', '.join(others)}; use plain `kedro run` for these, with "
                "compute.engine 'ray' for several GPUs or nodes"
            )
        if rank():
            logging.disable(logging.WARNING)
            for name in pipeline.all_outputs():
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
        path = _file_of(dataset)
        if is_remote(path):
            return
        if path.is_file() and (path.is_symlink() or path.stat().st_nlink > 1):
            path.unlink()


class LogSteps:
    """Logs each step and its results, and at the end the score, the time and the report."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Any) -> None:
        """Number the nodes in the order in which they run."""
        self._start = time.monotonic()
        self._numbers = {node.name: number for number, node in enumerate(pipeline.nodes, 1)}
        self._started: dict[str, float] = {}
        self._saved: dict[str, set[str]] = {}
        logging.getLogger(_RUNNER).setLevel(logging.NOTSET)

    @hook_impl
    def before_node_run(self, node: Any) -> None:
        """Log which of the steps begins."""
        self._started[node.name] = time.monotonic()
        total = len(self._numbers)
        logger.info("step %d of %d: %s", self._numbers[node.name], total, node.name)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Any) -> None:
        """Log the results of a node when all of them are saved."""
        saved = self._saved.setdefault(node.name, set())
        if dataset_name in saved:  # a generator's result is saved chunk by chunk
            return
        saved.add(dataset_name)
        if saved == set(node.outputs):
            seconds = time.monotonic() - self._started[node.name]
            logger.info("%s: saved %s (%s)", node.name, ", ".join(node.outputs), _time(seconds))

    @hook_impl
    def on_node_error(self, node: Any) -> None:
        """If nothing is saved or the node saves nothing, Kedro need not say how to resume."""
        if not node.outputs or not self._saved:
            logging.getLogger(_RUNNER).setLevel(logging.ERROR)

    @hook_impl
    def after_pipeline_run(self, pipeline: Any, catalog: Any) -> None:
        """Log the model's score if the run measured it, the time, and the report's address."""
        outputs = pipeline.all_outputs()
        if "metrics" in outputs:
            from albedo_pipeline.reporting.sections.headline import score_sentence
            from albedo_pipeline.reporting.sections.scores import main_split

            metrics = catalog.load("metrics")
            logger.info(score_sentence(metrics, main_split(metrics)))
        seconds = time.monotonic() - self._start
        logger.info("Finished %d step(s) in %s.", len(self._numbers), _time(seconds))
        if "report" in outputs:
            path = _file_of(catalog["report"])
            address = str(path) if is_remote(path) else path.absolute().as_uri()
            logger.info("The report is ready: %s", address)


class CorrectVizRecord:
    """Corrects what Kedro-Viz records of a run for its page "Workflow".

    Kedro-Viz stops a node's clock before the results are saved, which is when results that are
    made while they are saved (renders, shards, predictions) take their time; and it knows no size
    of a folder.
    """

    RECORD: ClassVar = Path(".viz/kedro_pipeline_events.json")
    """Its file, relative to the project."""

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Note the time, so that the record of an earlier run is not changed."""
        self._start = time.time()
        self._clocks: dict[str, tuple[float, float]] = {}

    @hook_impl
    def before_node_run(self, node: Any) -> None:
        """Start the clock of a node."""
        now = time.monotonic()
        self._clocks[node.name] = (now, now)

    @hook_impl
    def after_dataset_saved(self, node: Any) -> None:
        """Stop the clock of a node, for now: it may have more results."""
        start, _ = self._clocks[node.name]
        self._clocks[node.name] = (start, time.monotonic())

    @hook_impl(trylast=True)
    def after_pipeline_run(self, catalog: Any) -> None:
        """Write the true durations and sizes into the record of this run, if there is one."""
        if not self.RECORD.is_file() or self.RECORD.stat().st_mtime < self._start:
            return
        events = json.loads(self.RECORD.read_text(encoding="utf-8"))
        for event in events:
            if event["event"] == "after_node_run" and event["node"] in self._clocks:
                start, end = self._clocks[event["node"]]
                event["duration"] = max(event["duration"], end - start)
            elif event.get("size") == 0 and event["dataset"] in catalog:
                event["size"] = _size(catalog[event["dataset"]])
        write_text(self.RECORD, json.dumps(events, indent=2))


def _file_of(dataset: Any) -> Path:
    """The file of a dataset of kedro_datasets, on a disk or in object storage."""
    facts = dataset._describe()
    protocol = facts.get("protocol", "file")
    if "filepath" not in facts:  # a folder of files, whose own datasets replace them
        return Path()
    return location(
        str(facts["filepath"]) if protocol == "file" else f"{protocol}://{facts['filepath']}"
    )


def _size(dataset: Any) -> int:
    """Bytes of a dataset's file, or of all files in its folder; 0 if it has neither."""
    path = Path(str(dataset._describe().get("filepath") or ""))  # a URL is no file on the disk
    files = [path] if path.is_file() else path.rglob("*") if path.name and path.is_dir() else []
    return sum(file.stat().st_size for file in files if file.is_file())


def _time(seconds: float) -> str:
    """`0.4 s`, `42 s`, or `0:14:03`."""
    if seconds < _MINUTE:
        return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.0f} s"
    return str(timedelta(seconds=round(seconds)))
