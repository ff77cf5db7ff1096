"""Raw pairs named by a text file: one sample a line, `beauty albedo [mask]`."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from kedro.io import AbstractDataset

from albedo_pipeline.datasets.atomic import replaced_folder
from albedo_pipeline.datasets.raw_pairs import RawPair, RawPairReference
from albedo_pipeline.errors import BadSampleError, ProjectError

_MARKER = ".rendered"


class FilenameListDataset(AbstractDataset[Iterable[RawPair], list[RawPairReference]]):
    """A list of file names, separated by spaces, relative to the list's own folder.

    The beauty comes first, then the albedo, then optionally the mask (valid where every channel
    is above one half). A sample is named by its beauty file; its group is the folder that the file
    lies in, or, in no folder, the sample itself. Empty lines and
    lines that begin with `#` are passed over.

    Args:
        filepath: the text file.
        root: what the names are relative to; relative to the list's folder, or absolute.
        colour_space: of both images: `linear` (Rec.709) or `srgb` (encoded).
    """

    def __init__(
        self,
        *,
        filepath: str,
        root: str = ".",
        colour_space: Literal["linear", "srgb"] = "linear",
        metadata: dict | None = None,
    ) -> None:
        if colour_space not in ("linear", "srgb"):
            raise ProjectError(f"colour_space: {colour_space!r} is not 'linear' or 'srgb'")
        self._list = Path(filepath)
        self._root = self._list.parent / root
        self._colour_space = colour_space
        self.metadata = metadata

    def load(self) -> list[RawPairReference]:
        """References in the order of the list.

        Raises:
            ProjectError: where the list is missing, is empty, has a line that does not name two
                or three files, or names a sample twice; tells file and line.
        """
        if not self._list.is_file():
            raise ProjectError(
                f"{self._list}: no such file; it should list the pairs, one 'beauty albedo [mask]' "
                "a line (for the demo's own: kedro run --pipeline synthesize)"
            )
        seen: dict[str, int] = {}
        references = []
        for number, line in enumerate(self._text().splitlines(), start=1):
            names = line.split()
            if not names or names[0].startswith("#"):
                continue
            where = f"{self._list}, line {number}"
            if len(names) not in (2, 3):
                raise ProjectError(f"{where}: {len(names)} names, expected 'beauty albedo [mask]'")
            sample_id = _sample_id(names[0])
            if sample_id in seen:
                raise ProjectError(
                    f"{where}: sample {sample_id!r} stands in line {seen[sample_id]} too"
                )
            seen[sample_id] = number
            folder = str(Path(names[0]).parent)
            group = sample_id if folder == "." else folder
            load = partial(_load_pair, self._root, self._colour_space, sample_id, group, names)
            references.append(RawPairReference(sample_id, group, load))
        if not references:
            raise ProjectError(f"{self._list}: lists no sample")
        return references

    def _text(self) -> str:
        try:
            return self._list.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ProjectError(f"{self._list}: not UTF-8 text ({error})") from error

    def save(self, data: Iterable[RawPair]) -> None:
        """Write pairs as EXR (linear; beauty and albedo half float) and the list that names them.

        Raises:
            ProjectError: where the folder exists and was not written by this method (it would
                be replaced as a whole), or where `load` would not read back what is written.
        """
        if self._colour_space != "linear" or self._root != self._list.parent / ".":
            raise ProjectError(f"{self._list}: renders need colour_space 'linear' and no root")
        folder = self._list.parent
        if folder.exists() and any(folder.iterdir()) and not (folder / _MARKER).exists():
            raise ProjectError(f"{folder}: holds files that were not rendered here; not replaced")
        with replaced_folder(folder) as partial_folder:
            (partial_folder / _MARKER).touch()
            lines = [_write_pair(partial_folder, pair) for pair in data]
            (partial_folder / self._list.name).write_text("".join(lines), encoding="utf-8")

    def _exists(self) -> bool:
        return self._list.is_file()

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._list), "colour_space": self._colour_space}


def _sample_id(beauty_name: str) -> str:
    return str(Path(beauty_name).with_suffix("")).removesuffix("_beauty")


def _load_pair(
    root: Path, colour_space: str, sample_id: str, group: str, names: list[str]
) -> RawPair:
    from albedo_pipeline.imaging.colour import decode_srgb
    from albedo_pipeline.imaging.files import read_image

    try:
        (beauty, attributes), (albedo, _), *masks = [read_image(_inside(root, n)) for n in names]
    except ValueError as error:
        raise BadSampleError(str(error)) from error
    for name, image in zip(names, (beauty, albedo), strict=False):
        if image.shape[-1] < 3:
            raise BadSampleError(f"{root / name}: {image.shape[-1]} channel(s), expected 3")
    valid = np.all(masks[0][0] > 0.5, axis=-1) if masks else np.ones(beauty.shape[:2], bool)
    to_linear = decode_srgb if colour_space == "srgb" else np.asarray
    beauty, albedo = to_linear(beauty[..., :3]), to_linear(albedo[..., :3])
    return RawPair(sample_id, group, beauty, albedo, valid, attributes)


def _inside(root: Path, name: str) -> Path:
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise BadSampleError(f"{name}: leaves the folder {root}")
    return path


def _write_pair(folder: Path, pair: RawPair) -> str:
    from albedo_pipeline.imaging.files import write_exr

    images = {
        "beauty": (pair.beauty, pair.attributes),
        "albedo": (pair.albedo, {}),
        "mask": (pair.valid[..., None].astype(np.float32), {}),
    }
    names = [f"{pair.sample_id}_{kind}.exr" for kind in images]
    (folder / names[0]).parent.mkdir(parents=True, exist_ok=True)
    for name, (pixels, attributes) in zip(names, images.values(), strict=True):
        write_exr(folder / name, pixels, attributes, half=True)
    return " ".join(names) + "\n"
