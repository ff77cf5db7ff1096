"""Albedo of the user's own images, as files beside each other; what is there is not made again."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kedro.io import AbstractDataset

from albedo_pipeline.artifacts.user_results import (
    Record,
    UserPrediction,
    is_too_long,
    note_path,
    remove_results,
    write_results,
)
from albedo_pipeline.errors import BadSampleError, ProjectError, one_line
from albedo_pipeline.runtime.atomic_files import write_text
from albedo_pipeline.runtime.locks import locked
from albedo_pipeline.runtime.progress import progress

logger = logging.getLogger(__name__)

_INDEX = "index.json"


@dataclass(frozen=True)
class UserImage:
    """An image of the user's."""

    name: str
    """Where it lies below the user's folder, with `/`."""
    path: Path
    output: str
    """What its results are called: a name without suffix, no other image's."""

    def signature(self) -> str:
        """Changes with the file: its path, size and time; or why there are none."""
        try:
            stat = self.path.stat()
        except OSError as error:
            return f"{error.strerror}"
        return f"{self.path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}"


class UserImages(Protocol):
    """Images whose albedo is wanted, and how to make it."""

    @property
    def images(self) -> list[UserImage]:
        """In a stable order."""

    @property
    def others(self) -> int:
        """Files that were passed over."""

    @property
    def cache_key(self) -> str:
        """A digest of all but the image that a result depends on."""

    @property
    def settings(self) -> Record:
        """What is told of the run."""

    def make(self, image: UserImage) -> UserPrediction:
        """Raises BadSampleError where the image cannot be used."""


class UserPredictionsDataset(AbstractDataset[UserImages, Record]):
    """A folder of results, and `index.json`, which tells what the latest run found.

    For an image `room/a.png` there are `room/a_albedo.exr` (linear Rec.709, half floats),
    `room/a_albedo.png` (sRGB, 8 bits), with an ensemble `room/a_uncertainty.exr`, and
    `room/a_albedo.json`, which is written last and tells what they were made from.

    Args:
        filepath: the folder. Images that lie in it are never taken for the user's.
    """

    def __init__(self, *, filepath: str, metadata: dict | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> Record:
        """What the latest run found: `settings`, `others`, and of `images` a record each, with
        `reason` (empty where it is done).

        Raises:
            ProjectError: where no run has come to its end.
        """
        try:
            return json.loads((self._folder / _INDEX).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ProjectError(f"{self._folder}: no finished predictions here") from error

    def save(self, data: UserImages) -> None:
        """Make what is missing.

        Raises:
            ProjectError: where another run writes the folder, or a file cannot be written.
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

    def _write(self, data: UserImages) -> None:
        for leftover in self._folder.rglob(".*.partial*"):
            leftover.unlink()
        own = self._folder.resolve()
        images = [i for i in data.images if not i.path.resolve().is_relative_to(own)]
        if not images:
            raise ProjectError(f"predict.input: all its images are results in {self._folder}")
        known = [self._finished(image, data.cache_key) for image in images]
        missing = [image for image, record in zip(images, known, strict=True) if not record]
        logger.info("predict: %d of %d image(s) to do", len(missing), len(images))
        made = (self._made(data, image) for image in missing)
        new = progress(made, len(images), "predict", done=len(images) - len(missing))
        records = [record or next(new) for record in known]
        for _ in new:  # lets the progress say that it is at its end
            pass
        others = data.others + len(data.images) - len(images)
        content = {"settings": data.settings, "others": others, "images": records}
        write_text(self._folder / _INDEX, json.dumps(content))

    def _finished(self, image: UserImage, cache_key: str) -> Record | None:
        """What is told of an image whose results are all there, and up to date."""
        try:
            note = json.loads(note_path(self._folder, image.output).read_text(encoding="utf-8"))
            made_from = (note["signature"], note["recipe"])
            sizes = {name: (self._folder / name).stat().st_size for name in note["bytes"]}
            is_whole = made_from == (image.signature(), cache_key) and sizes == note["bytes"]
            return note["record"] if is_whole else None
        except (OSError, KeyError, TypeError, ValueError):  # missing or damaged: made again
            return None

    def _other_source(self, image: UserImage) -> Path | None:
        """The image that results of this name were made from, where that is another one and still
        there."""
        try:
            note = json.loads(note_path(self._folder, image.output).read_text(encoding="utf-8"))
            source = Path(note["signature"].rsplit(":", 2)[0])
            return source if source.is_file() and not source.samefile(image.path) else None
        except (OSError, KeyError, TypeError, ValueError, AttributeError):
            return None

    def _made(self, data: UserImages, image: UserImage) -> Record:
        """Make the results of one image; its note comes last."""
        signature = image.signature()
        told = {"name": image.name, "output": image.output}
        if is_too_long(image.output):
            return told | {"reason": "its name is too long to add _albedo"}
        other = self._other_source(image)
        if other:
            logger.warning("%s: bears the name of %s", image.name, other)
            return told | {
                "reason": f"its results would replace those of {other}; move these, or give the "
                "catalog's user_predictions another folder"
            }
        try:
            prediction = data.make(image)
        except BadSampleError as error:
            reason = one_line(error)
            logger.warning("%s: %s", image.name, reason)
            remove_results(self._folder, image.output)
            return told | {"reason": reason}
        files = write_results(self._folder, image.output, prediction)
        record = told | {"reason": ""} | prediction.record | {"files": files}
        sizes = {name: (self._folder / name).stat().st_size for name in files.values()}
        note = {"signature": signature, "recipe": data.cache_key, "settings": data.settings}
        note |= {"record": record, "bytes": sizes}
        write_text(note_path(self._folder, image.output), json.dumps(note))
        return record
