"""Albedo of the user's own images, one set of files per image; finished ones are not made again."""

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from kedro.io import AbstractDataset

from albedo_pipeline.artifacts.user_results import (
    Record,
    UserPrediction,
    record_path,
    recorded_outputs,
    remove_results,
    unusable_name,
    write_results,
)
from albedo_pipeline.errors import BadSampleError, ProjectError, one_line
from albedo_pipeline.params.predict import OutputParams
from albedo_pipeline.runtime.atomic_files import write_text
from albedo_pipeline.runtime.locks import locked
from albedo_pipeline.runtime.progress import progress
from albedo_pipeline.runtime.ray_pool import Cluster, ray_map

logger = logging.getLogger(__name__)

_INDEX = "index.json"
_CACHE_KEY = "cache_key"
"""Key of the cache key in a record file."""
_NAMED = 5
"""Number of results of earlier inputs that the log names."""


@dataclass(frozen=True)
class UserImage:
    """One of the user's images."""

    name: str
    """Path relative to the user's folder, with `/`."""
    path: Path
    """The file."""
    output: str
    """Name of its results: without suffix, and different from that of any other image."""

    @property
    def real_path(self) -> Path:
        """Where the links lead; the file need not exist."""
        return Path(os.path.realpath(self.path))  # Path.resolve raises an error for a circle

    def signature(self) -> str:
        """Path, size and time of the file, or why it cannot be read; another one if it changes."""
        try:
            stat = self.path.stat()
        except OSError as error:
            return f"{error.strerror}"
        return f"{self.real_path}:{stat.st_size}:{stat.st_mtime_ns}"


class _Origin(NamedTuple):
    """The image that results were made from."""

    name: str
    """Path relative to the user's folder, with `/`."""
    path: Path
    """The file that links lead to."""


class PredictionJob(Protocol):
    """Images whose albedo is wanted, and what predicts it."""

    @property
    def images(self) -> list[UserImage]:
        """The images, in a stable order."""

    @property
    def others(self) -> int:
        """Number of files that were skipped because they are no images."""

    @property
    def companions(self) -> int:
        """Number of companion files that were passed over; see `runtime.companions`."""

    @property
    def cache_key(self) -> str:
        """Digest of everything but the image that a result depends on."""

    @property
    def cluster(self) -> Cluster | None:
        """Where the workers run that make the results; None if this process makes them."""

    @property
    def settings(self) -> Record:
        """Facts about the run: model and settings."""

    @property
    def files(self) -> OutputParams:
        """The files that are written of each albedo."""

    def plan(self, images: list[UserImage]) -> str:
        """Size of the work on these images, and its time and memory, for the log."""

    def make(self, image: UserImage) -> UserPrediction:
        """Predict the albedo of one image.

        Raises:
            BadSampleError: if the image cannot be used.
        """


class UserPredictionsDataset(AbstractDataset[PredictionJob, Record]):
    """A folder of results, and `index.json` with what the latest run found.

    For an image `room/a.png` there are, by default, `room/a_albedo.exr` (linear Rec.709, half
    floats) and `room/a_albedo.png` (sRGB, 8 bits), with an ensemble `room/a_uncertainty.exr`, and
    the record file `room/a_albedo.json`, which is written last and says what the others were made
    from. `predict.output` chooses other files, such as `room/a_albedo.tif`, and colour spaces.

    Args:
        filepath: the folder. Images in it are never taken as inputs.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> Record:
        """Read what the latest run found.

        Returns:
            `settings`, `others`, `companions`, and `images` with a record each, whose `reason` is
            empty if the image is done.

        Raises:
            ProjectError: if no run was finished.
        """
        try:
            return json.loads((self._folder / _INDEX).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ProjectError(
                f"{self._folder}: no finished predictions here; run the pipeline predict first"
            ) from error

    def save(self, data: PredictionJob) -> None:
        """Make the results that are missing.

        Raises:
            ProjectError: if another run writes to the folder, or a file cannot be written.
        """
        with locked(self._folder, "another predict"):
            try:
                self._write(data)
            except OSError as error:
                raise ProjectError(one_line(error)) from error

    def _exists(self) -> bool:
        return (self._folder / _INDEX).is_file()

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder)}

    def _write(self, job: PredictionJob) -> None:
        for leftover in self._folder.rglob(".*.partial*"):
            leftover.unlink()
        results = self._folder.resolve()
        images = [i for i in job.images if not i.real_path.is_relative_to(results)]
        if not images:
            raise ProjectError(f"predict.input: all its images are results in {self._folder}")
        finished = [self._finished_record(image, job.cache_key) for image in images]
        missing = [image for image, record in zip(images, finished, strict=True) if not record]
        logger.info("predict: %d of %d image(s) to do", len(missing), len(images))
        if missing:
            logger.info("predict: %s", job.plan(missing))
        new: dict[str, Record] = {}
        made = self._made(job, missing)
        for record in progress(made, len(images), "predict", done=len(images) - len(missing)):
            if record["reason"]:
                logger.warning("%s: %s", record["name"], record["reason"])
            new[record["output"]] = record
        records = [
            record or new[image.output] for image, record in zip(images, finished, strict=True)
        ]
        self._remove_superseded(images)
        others = job.others + len(job.images) - len(images)
        content = {"settings": job.settings, "others": others, "companions": job.companions}
        content |= {"images": records}
        write_text(self._folder / _INDEX, json.dumps(content))

    def _finished_record(self, image: UserImage, cache_key: str) -> Record | None:
        """The record of an image whose results are complete and up to date, otherwise None."""
        try:
            stored = self._read_record(image.output)
            made_from = (stored["signature"], stored[_CACHE_KEY])
            sizes = {name: (self._folder / name).stat().st_size for name in stored["bytes"]}
            is_current = made_from == (image.signature(), cache_key) and sizes == stored["bytes"]
            return stored["record"] if is_current else None
        except (OSError, KeyError, TypeError, ValueError):  # missing or damaged: made again
            return None

    def _other_source(self, image: UserImage) -> Path | None:
        """The other image that results of this name were made from, if it still exists."""
        origin = self._origin(image.output)
        if origin is None or not os.access(origin.path, os.F_OK):
            return None
        try:
            is_same = origin.path.samefile(image.path)
        except OSError:  # a file that cannot be read now
            is_same = origin.path == image.real_path
        return None if is_same else origin.path

    def _remove_superseded(self, images: list[UserImage]) -> None:
        """Remove results that this run made again under another name; name those of other inputs.

        An image `a.png` has the results `a_albedo.*`, and `a.png_albedo.*` once there is an
        `a.jpg`.
        """
        made = {_Origin(image.name, image.real_path) for image in images}
        outputs, others = {image.output for image in images}, []
        for output in recorded_outputs(self._folder):
            origin = None if output in outputs else self._origin(output)
            if origin in made:
                logger.info("predict: removed the results %s, which have another name now", output)
                remove_results(self._folder, output)
            elif origin:
                others.append(output)
        if others:
            named = ", ".join(others[:_NAMED]) + (", …" if len(others) > _NAMED else "")
            logger.info(
                "predict: %s also has the results of %d earlier input(s): %s",
                self._folder,
                len(others),
                named,
            )

    def _origin(self, output: str) -> _Origin | None:
        """The image that results were made from; None if there is no sound record of it."""
        try:
            stored = self._read_record(output)
            path = stored["signature"].rsplit(":", 2)[0]
            return _Origin(_as_decoded_now(stored["record"]["name"]), Path(_as_decoded_now(path)))
        except (OSError, KeyError, TypeError, ValueError, AttributeError):
            return None

    def _read_record(self, output: str) -> Record:
        return json.loads(record_path(self._folder, output).read_text(encoding="utf-8"))

    def _made(self, job: PredictionJob, missing: list[UserImage]) -> Iterator[Record]:
        """Make the results of images, here or in the workers of a cluster, in any order."""
        make = partial(self._make, job)
        return ray_map(make, missing, job.cluster) if job.cluster else map(make, missing)

    def _make(self, job: PredictionJob, image: UserImage) -> Record:
        """Make the results of one image, the record file last."""
        signature = image.signature()
        names = {"name": image.name, "output": image.output}
        if unusable_name(image.output):
            return names | {"reason": unusable_name(image.output)}
        other = self._other_source(image)
        if other:
            return names | {
                "reason": f"its results would replace those of {other}; move these, or give the "
                "catalog's user_predictions another folder"
            }
        try:
            prediction = job.make(image)
        except BadSampleError as error:
            remove_results(self._folder, image.output)
            return names | {"reason": one_line(error)}
        files = write_results(self._folder, image.output, prediction, job.files)
        record = names | {"reason": ""} | prediction.record | {"files": files}
        sizes = {name: (self._folder / name).stat().st_size for name in files.values()}
        stored = {"signature": signature, _CACHE_KEY: job.cache_key, "settings": job.settings}
        stored |= {"record": record, "bytes": sizes}
        write_text(record_path(self._folder, image.output), json.dumps(stored))
        return record


def _as_decoded_now(name: str) -> str:
    """A stored file name as this process has it; in another locale Python decodes it otherwise."""
    return os.fsdecode(name.encode("utf-8", "surrogateescape"))
