"""Albedo of the user's own images, one set of files per image; finished ones are not made again."""

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from kedro.io import AbstractDataset

from albedo_pipeline.artifacts.prediction_job import PredictionJob, UserImage, UserSequence
from albedo_pipeline.artifacts.user_results import (
    Record,
    record_path,
    recorded_outputs,
    remove_results,
    unusable_name,
    write_results,
)
from albedo_pipeline.artifacts.user_sequences import (
    FrameResult,
    store_sequence,
    stored_sequence,
    write_sequence,
)
from albedo_pipeline.errors import BadSampleError, ProjectError, one_line, printable
from albedo_pipeline.runtime.atomic_files import write_text
from albedo_pipeline.runtime.locks import locked
from albedo_pipeline.runtime.progress import progress
from albedo_pipeline.runtime.ray_pool import ray_map
from albedo_pipeline.runtime.storage import on_disk

logger = logging.getLogger(__name__)

_INDEX = "index.json"
_CACHE_KEY = "cache_key"
"""Key of the cache key in a record file."""
_NAMED = 5
"""Number of results of earlier inputs that the log names."""


class _Origin(NamedTuple):
    """The image that results were made from."""

    name: str
    """Path relative to the user's folder, with `/`."""
    path: Path
    """The file that links lead to."""


class UserPredictionsDataset(AbstractDataset[PredictionJob, Record]):
    """A folder of results, and `index.json` with what the latest run found.

    For an image `room/a.png` there are, by default, `room/a_albedo.exr` (linear Rec.709, half
    floats) and `room/a_albedo.png` (sRGB, 8 bits), with an ensemble `room/a_uncertainty.exr`, and
    the record file `room/a_albedo.json`, which is written last and says what the others were made
    from. `predict.output` chooses other files, such as `room/a_albedo.tif`, and colour spaces. A
    sequence of frames also has `…_side_by_side.mp4` and the record file `…_sequence.json`.

    Args:
        filepath: the folder. Images in it are never taken as inputs.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._folder = on_disk(filepath, "predictions of your images")
        self.metadata = metadata

    def load(self) -> Record:
        """Read what the latest run found.

        Returns:
            `settings`, `others`, `companions`, `sequences` with a record each, and `images` with a
            record each, whose `reason` is empty if the image is done.

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
        finished = [self._finished_record(image, _key(job, image)) for image in images]
        missing = [image for image, record in zip(images, finished, strict=True) if not record]
        logger.info("predict: %d of %d image(s) to do", len(missing), len(images))
        if missing:
            logger.info("predict: %s", job.plan(missing))
        new: dict[str, Record] = {}
        made = self._made(job, missing)
        for record in progress(made, len(images), "predict", done=len(images) - len(missing)):
            if record["reason"]:
                logger.warning("%s: %s", printable(record["name"]), record["reason"])
            new[record["output"]] = record
        records = [
            record or new[image.output] for image, record in zip(images, finished, strict=True)
        ]
        self._remove_superseded(images)
        others = job.others + len(job.images) - len(images)
        content = {"settings": job.settings, "others": others, "companions": job.companions}
        by_output = {record["output"]: record for record in records}
        made_now = {image.output for image in missing}
        sequences = [
            self._sequence(job, sequence, by_output, made_now)
            | {"outputs": [image.output for image in sequence.images]}
            for sequence in job.sequences
        ]
        content |= {"sequences": sequences, "images": records}
        write_text(self._folder / _INDEX, json.dumps(content))

    def _sequence(
        self,
        job: PredictionJob,
        sequence: UserSequence,
        records: dict[str, Record],
        made_now: set[str],
    ) -> Record:
        """The record of a sequence; its video is made if a frame was made now, or it is missing."""
        made = [image for image in sequence.images if not records[image.output]["reason"]]
        shots = {records[image.output]["shot"] for image in made}
        facts = {
            "name": sequence.name,
            "frames": len(made),
            "failed": len(sequence.images) - len(made),
            "shots": len(shots),
            "frames_per_second": sequence.frames_per_second,
        }
        if not made:
            return facts | {"flicker": None, "still_share": 0.0, "files": {}}
        content = [facts, job.files.video, [_key(job, image) for image in made]]
        key = hashlib.sha256(json.dumps(content).encode()).hexdigest()
        stored = stored_sequence(self._folder, sequence.output, key)
        if stored and not made_now.intersection(image.output for image in sequence.images):
            return stored
        frames = [
            FrameResult(
                partial(job.beauty, image),
                records[image.output]["shot"],
                records[image.output]["files"],
            )
            for image in made
        ]
        rate = sequence.frames_per_second
        record = facts | write_sequence(self._folder, sequence.output, frames, rate, job.files)
        store_sequence(self._folder, sequence.output, key, record)
        return record

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
        stored = {"signature": signature, _CACHE_KEY: _key(job, image), "settings": job.settings}
        stored |= {"record": record, "bytes": sizes}
        write_text(record_path(self._folder, image.output), json.dumps(stored))
        return record


def _key(job: PredictionJob, image: UserImage) -> str:
    """Digest of everything but the image's own file that its result depends on."""
    return job.cache_key + image.context


def _as_decoded_now(name: str) -> str:
    """A stored file name as this process has it; in another locale Python decodes it otherwise."""
    return os.fsdecode(name.encode("utf-8", "surrogateescape"))
