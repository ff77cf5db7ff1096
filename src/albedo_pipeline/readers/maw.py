"""Measured Albedo in the Wild (Wu et al. 2023), as its archives unpack."""

import csv
from functools import partial
from pathlib import Path

import numpy as np

from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.readers.pair_files import PairReader, read_from
from albedo_pipeline.readers.photographs import Measured, Photo
from albedo_pipeline.readers.roots import Root, open_root

_COLUMNS = ("colours", "mask", "scene", "name")
"""The first columns of `labels/meta.csv`, which has no header and may have more columns."""


class MAWDataset(PairReader[Photo]):
    """Photographs with surfaces whose albedo was measured.

    `labels/meta.csv` is tab-separated and has one line for each photograph: an `.npy` of measured
    colours (linear Adobe RGB, [n, 3]), a mask with n values other than 0, the scene, and the name
    of the photograph. The `.npy` and the mask are named relative to `labels`. The photograph is
    `<images>/<scene>/<name>.png`. As in the published code, the sorted values of the mask belong to
    the colours in their order. If their numbers differ, the photograph cannot be used.

        maw_photos:
          type: albedo_pipeline.readers.maw.MAWDataset
          filepath: /data/maw

    Args:
        filepath: the folder, or an uncompressed `.tar` of it.
        images: folder in it that holds the sRGB-encoded photographs of the scenes.
        max_megapixels: see `PairReader`.
    """

    def __init__(
        self,
        *,
        filepath: str,
        images: str = "images_png",
        max_megapixels: float = 128,
        metadata: dict | None = None,
    ) -> None:
        super().__init__(filepath=filepath, max_megapixels=max_megapixels, metadata=metadata)
        self._images = images

    def load(self) -> list[Photo]:
        """Photographs in the order of the table.

        Raises:
            ProjectError: if there is no such folder, no table in it, or it is malformed.
        """
        root = open_root(self._path)
        table = "labels/meta.csv"
        if table not in root.names():
            raise ProjectError(f"{root.path}: no {table}")
        try:
            with root.opened(table) as path, path.open(encoding="utf-8", newline="") as file:
                rows = [row for row in csv.reader(file, delimiter="\t") if row]
        except (UnicodeDecodeError, csv.Error) as error:
            raise ProjectError(f"{root.path}/{table}: not a table of text ({error})") from error
        limit = self._options.max_pixels
        photos = []
        for number, row in enumerate(rows, start=1):
            if len(row) < len(_COLUMNS):
                raise ProjectError(
                    f"{root.path}/{table}, line {number}: {len(row)} column(s), expected "
                    f"{', '.join(_COLUMNS)} and more, tab-separated"
                )
            colours, mask, scene, name = row[: len(_COLUMNS)]
            labels = f"labels/{colours}", f"labels/{mask}"
            known = partial(_measured, root, *labels, limit)
            image = f"{self._images}/{scene}/{name}.png"
            photos.append(Photo(f"{scene}/{name}", root, image, labels, scene, known, limit))
        if not photos:
            raise ProjectError(f"{root.path}/{table}: lists no photograph")
        return photos


def _measured(root: Root, colours: str, mask: str, max_pixels: int) -> Measured:
    from albedo_pipeline.imaging.io.read import read_mask
    from albedo_pipeline.metrics.maw import measured_colours

    known = measured_colours(read_from(root, colours, lambda path: _read_colours(path, max_pixels)))
    values = read_from(root, mask, lambda path: read_mask(path, max_pixels))[..., 0]
    names, labels = np.unique(values, return_inverse=True)
    labels = labels.reshape(values.shape) + (0 if names[0] == 0 else 1)
    if labels.max() != len(known):
        raise BadSampleError(f"{mask}: {labels.max()} surface(s), but {colours} has {len(known)}")
    return Measured(known, labels)


def _read_colours(path: Path, max_pixels: int) -> np.ndarray:
    from albedo_pipeline.imaging.io.npy import read_npy

    table = read_npy(path, max_pixels)[0]  # [n, 3] comes as a picture of one channel
    if table.shape[1:] != (3, 1) or not np.isfinite(table).all():
        raise ValueError(f"an array of shape {table.shape[:2]}: expected finite colours, [n, 3]")
    return table[..., 0]
