"""Sequences of frames: which of the user's images follow each other."""

import hashlib
import logging
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from albedo_pipeline.artifacts.prediction_job import UserImage, UserSequence
from albedo_pipeline.imaging.io.film import ANIMATIONS, VIDEOS, read_film
from albedo_pipeline.inference.user_images import output_names

logger = logging.getLogger(__name__)
_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)")
"""A stem with a number in it: what stands before its last number, the number, and the rest."""
_NAMED = 5
"""Number of missing frames that the log names."""


def find_sequences(
    images: list[UserImage], frames_per_second: float
) -> tuple[list[UserImage], list[UserSequence]]:
    """Sort images into sequences, and animations and videos into their frames.

    Two or more files of one folder and suffix whose names differ only in their last number are the
    frames of a sequence. What is left stays an image of its own.

    Args:
        images: the images, ordered by name.
        frames_per_second: frame rate of numbered files.

    Returns:
        All images and frames, those of a sequence in order; and the sequences.
    """
    alone: list[UserImage] = []
    sequences: list[UserSequence] = []
    numbered: dict[tuple[str, str, str], list[tuple[int, UserImage]]] = {}
    for image in images:
        film = _film(image)
        place = _place(image.name)
        if film is not None:
            sequences.append(film)
        elif place is None:
            alone.append(image)
        else:
            numbered.setdefault(place[0], []).append((place[1], image))
    groups = {key: sorted(group, key=_number) for key, group in numbered.items()}
    alone += [group[0][1] for group in groups.values() if len(group) == 1]
    groups = {key: group for key, group in groups.items() if len(group) > 1}
    bases = [_base(*key) for key in groups]
    outputs = output_names([base + key[2] for base, key in zip(bases, groups, strict=True)])
    for (key, group), output in zip(groups.items(), outputs, strict=True):
        sequences.append(_of_files(key, group, output, frames_per_second))
    sequences.sort(key=lambda sequence: sequence.name)
    frames = [image for sequence in sequences for image in sequence.images]
    return sorted(alone, key=lambda image: image.name) + frames, sequences


def _film(image: UserImage) -> UserSequence | None:
    """The frames of an animation or a video; None for anything else, also a damaged one."""
    if image.path.suffix.lower() not in ANIMATIONS | VIDEOS:
        return None
    try:
        film = read_film(image.path)
    except ValueError:  # reading it as an image says what is wrong
        return None
    if film.frames < 2 and image.path.suffix.lower() in ANIMATIONS:
        return None
    digits = max(4, len(str(film.frames)))
    frames = tuple(
        replace(image, name=name, output=name, frame=number)
        for number in range(film.frames)
        for name in [f"{image.name}/{number + 1:0{digits}d}"]
    )
    return UserSequence(image.name, image.name, frames, film.frames_per_second)


def _place(name: str) -> tuple[tuple[str, str, str], int] | None:
    """Prefix with the folder, rest and suffix of a numbered name, and its number."""
    path = PurePosixPath(name)
    match = _NUMBERED.fullmatch(path.stem)
    if match is None:
        return None
    folder = "" if path.parent == PurePosixPath() else f"{path.parent}/"
    return (folder + match[1], match[3], path.suffix), int(match[2])


def _number(item: tuple[int, UserImage]) -> tuple[int, str]:
    return item[0], item[1].name


def _base(prefix: str, rest: str, suffix: str) -> str:
    """Name of a sequence's results: that of its files without the number."""
    base = prefix.rstrip("._- ") + rest
    return base + "frames" if base.endswith("/") or not base else base


def _of_files(
    key: tuple[str, str, str],
    group: list[tuple[int, UserImage]],
    output: str,
    frames_per_second: float,
) -> UserSequence:
    prefix, rest, suffix = key
    images = [image for _, image in group]
    first, last = (
        Path(image.name).stem.removeprefix(PurePosixPath(f"{prefix}x").name[:-1])
        for image in (images[0], images[-1])
    )
    name = f"{prefix}[{first.removesuffix(rest)}-{last.removesuffix(rest)}]{rest}{suffix}"
    _log_gaps(name, [number for number, _ in group])
    context = _digest(image.signature() for image in images)
    frames = tuple(replace(image, context=context) for image in images)
    return UserSequence(name, output, frames, frames_per_second)


def _log_gaps(name: str, numbers: list[int]) -> None:
    missing = sorted(set(range(numbers[0], numbers[-1])) - set(numbers))
    if missing:
        named = ", ".join(map(str, missing[:_NAMED])) + (", …" if len(missing) > _NAMED else "")
        logger.warning("%s: %d frame(s) are missing: %s", name, len(missing), named)


def _digest(signatures: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(signatures).encode("utf-8", "surrogateescape")).hexdigest()
