"""Where the beauty of an image comes from: a file of its own, or a frame of a sequence."""

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from albedo_pipeline.artifacts.prediction_job import UserImage, UserSequence
from albedo_pipeline.errors import BadSampleError
from albedo_pipeline.imaging.declarations import ColourNotes
from albedo_pipeline.imaging.io.film import FilmReader, read_film
from albedo_pipeline.imaging.io.read import OPAQUE, ColourImage
from albedo_pipeline.imaging.io.size import read_size
from albedo_pipeline.inference.shots import FrameFacts, FramePlan, frame_facts, plan_frames
from albedo_pipeline.inference.user_images import (
    Beauty,
    bad_sample,
    exposed,
    read_beauty,
    read_image,
)
from albedo_pipeline.params import PredictParams
from albedo_pipeline.runtime.progress import progress


class BeautySource(Protocol):
    """Reads the user's images for the model."""

    def read(self, image: UserImage) -> Beauty:
        """Read, expose and encode an image.

        Raises:
            BadSampleError: if it cannot be used; its message is the reason.
        """

    def size(self, image: UserImage) -> tuple[int, int] | None:
        """Height and width in pixels, from the file's header; None if it cannot be read."""

    def noise_name(self, image: UserImage) -> str:
        """Name of the noise that its prediction starts from."""


@dataclass(frozen=True)
class SingleImages:
    """Images that have nothing to do with each other."""

    params: PredictParams

    def read(self, image: UserImage) -> Beauty:
        return read_beauty(image.path, self.params)

    def size(self, image: UserImage) -> tuple[int, int] | None:
        return read_size(image.path)

    def noise_name(self, image: UserImage) -> str:
        return image.name


@dataclass(frozen=True)
class Frames:
    """Frames of sequences: all frames of a shot share exposure and noise.

    Before the first frame of a sequence is read for the model, all its frames are read once to find
    the cuts and the exposures.
    """

    params: PredictParams
    sequences: list[UserSequence]
    _plans: dict[str, dict[str, FramePlan]] = field(default_factory=dict)
    """Plans of the frames by name, of each sequence that was read."""
    _sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Height and width of the first readable frame of each sequence."""
    _film: list[FilmReader] = field(default_factory=list)

    def read(self, image: UserImage) -> Beauty:
        sequence = self._sequence_of(image)
        if sequence is None:
            return read_beauty(image.path, self.params)
        plan = self._plan(sequence)[image.name]
        stored = self._colours(image)
        size = stored.pixels.shape[:2]
        first = self._sizes[sequence.name]
        if size != first:
            raise BadSampleError(
                f"{size[1]} x {size[0]} pixels, but its sequence begins with {first[1]} x "
                f"{first[0]}; move it to another folder"
            )
        beauty = exposed(image.path, stored, self.params, plan.exposure)
        return replace(beauty, record=beauty.record | {"shot": plan.shot})

    def size(self, image: UserImage) -> tuple[int, int] | None:
        if image.frame is None:
            return read_size(image.path)
        film = read_film(image.path)
        return film.height, film.width

    def noise_name(self, image: UserImage) -> str:
        sequence = self._sequence_of(image)
        return image.name if sequence is None else sequence.name

    def _sequence_of(self, image: UserImage) -> UserSequence | None:
        return next((s for s in self.sequences if image in s.images), None)

    def _plan(self, sequence: UserSequence) -> dict[str, FramePlan]:
        if sequence.name not in self._plans:
            label = f"{sequence.name}, exposure"
            facts: list[FrameFacts | None] = []
            for image in progress(sequence.images, len(sequence.images), label):
                try:
                    facts.append(frame_facts(self._colours(image), self.params))
                except BadSampleError:  # named when it is read for the model
                    facts.append(None)
            sizes = [f.size for f in facts if f is not None]
            self._sizes[sequence.name] = sizes[0] if sizes else (0, 0)
            plans = plan_frames([f if f and f.size == sizes[0] else None for f in facts])
            names = [image.name for image in sequence.images]
            self._plans[sequence.name] = dict(zip(names, plans, strict=True))
        return self._plans[sequence.name]

    def _colours(self, image: UserImage) -> ColourImage:
        if image.frame is None:
            return read_image(image.path, self.params)
        if not self._film:
            self._film.append(FilmReader(int(self.params.max_megapixels * 1e6)))
        with bad_sample(image.path):
            pixels = self._film[0].read(image.path, image.frame)
        space = "srgb" if self.params.colour_space == "auto" else self.params.colour_space
        uses_alpha = self.params.alpha == "mask"
        present = pixels[..., 3] >= OPAQUE if uses_alpha else None
        if present is not None and present.all():
            present = None
        notes = ColourNotes("declared" if self.params.colour_space != "auto" else "pixel type")
        return ColourImage(
            np.ascontiguousarray(pixels[..., :3]), present, "uint8", space=space, notes=notes
        )
