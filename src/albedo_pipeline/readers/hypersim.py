"""Raw pairs of Hypersim (Roberts et al. 2021), as its archives unpack."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.readers.masked_ids import check_masked_ids, mask_ids
from albedo_pipeline.readers.pair_files import (
    PairReader,
    ReaderOptions,
    bad_reference,
    combine_masks,
    read_from,
    signature,
)
from albedo_pipeline.readers.raw_pairs import RawPair, RawPairReference, ReferenceRow, References
from albedo_pipeline.readers.roots import Root, open_root

_COLOUR = re.compile(
    r"(?P<scene>.+)/images/scene_(?P<camera>cam_[^/]+)_final_hdf5/(?P<frame>[^/]+)\.color\.hdf5"
)
_KEY = "dataset"
_IDS = ("semantic", "semantic_instance", "render_entity_id")
"""Files with an id per pixel, by the part of their names before `.hdf5`."""
_VOID = -1
"""Entity id of pixels that show no surface."""


class HypersimDataset(PairReader[RawPairReference]):
    """`color` with `diffuse_reflectance`, both linear; pixels that show no entity are masked.

    Under a scene's folder: `images/scene_cam_XX_final_hdf5/frame.NNNN.{color,diffuse_reflectance}
    .hdf5` and `images/scene_cam_XX_geometry_hdf5/frame.NNNN.render_entity_id.hdf5`. A sample is
    named `<scene>/cam_XX/frame.NNNN`; its group is the scene.

        raw_pairs:
          type: albedo_pipeline.readers.hypersim.HypersimDataset
          filepath: /data/hypersim

    The `diffuse_reflectance` of glass and mirrors is black, and that of light sources means
    nothing. Mask them by their ids:

          ids: semantic
          masked_ids: [9, 19, 35]

    Args:
        filepath: the folder that holds the scenes, or an uncompressed `.tar` of it.
        ids: the file `frame.NNNN.<ids>.hdf5` beside `render_entity_id` that has an id per pixel:
            `semantic` (labels of NYU40), `semantic_instance` or `render_entity_id`; only with
            `masked_ids`.
        masked_ids: ids whose pixels are masked, because their target is no albedo.
        max_megapixels: see `PairReader`.
    """

    def __init__(
        self,
        *,
        filepath: str,
        ids: str | None = None,
        masked_ids: Sequence[int] = (),
        max_megapixels: float = 128,
        metadata: dict | None = None,
    ) -> None:
        super().__init__(filepath=filepath, max_megapixels=max_megapixels, metadata=metadata)
        if ids is not None and ids not in _IDS:
            raise ProjectError(f"ids: {ids!r} is not one of {', '.join(_IDS)}")
        self._ids = ids
        self._options = replace(self._options, masked_ids=check_masked_ids(ids, masked_ids))

    def load(self) -> References:
        """References, sorted by scene, camera and frame. Those with a missing file fail to load.

        Raises:
            ProjectError: if there is no such folder, or no frame in it.
        """
        root = open_root(self._path)
        names = root.names()
        present = set(names)
        found = [match for name in names if (match := _COLOUR.fullmatch(name))]
        if not found:
            examples = f"; found, for example, {', '.join(names[:3])}" if names else ""
            raise ProjectError(
                f"{root.path}: no <scene>/images/scene_cam_XX_final_hdf5/frame.NNNN.color.hdf5"
                f"{examples}"
            )
        rows = (_row(match, present, self._ids) for match in found)
        return References(rows, partial(_reference, root, self._options), root.companions)

    def _describe(self) -> dict[str, object]:
        return super()._describe() | {"ids": self._ids}


def _row(match: re.Match, present: set[str], ids: str | None) -> ReferenceRow:
    """Name and scene of a frame, why it cannot be read if so, and the names of its files."""
    scene, camera, frame = match.group("scene", "camera", "frame")
    folder = f"{scene}/images/scene_{camera}"
    albedo = f"{folder}_final_hdf5/{frame}.diffuse_reflectance.hdf5"
    geometry = f"{folder}_geometry_hdf5/{frame}"
    entities = f"{geometry}.render_entity_id.hdf5"
    sample_id = f"{scene}/{camera}/{frame}"
    needed = [(albedo, "albedo"), (entities, "entity ids")]
    if ids:
        needed.append((f"{geometry}.{ids}.hdf5", "ids"))
    for name, role in needed:
        if name not in present:
            return sample_id, scene, f"{name}: no {role}"
    return sample_id, scene, None, match.string, *(name for name, _ in needed)


def _reference(root: Root, options: ReaderOptions, row: ReferenceRow) -> RawPairReference:
    sample_id, scene, message, *names = row
    if message is not None:
        return bad_reference(sample_id, scene, message)
    files = _Frame(sample_id, scene, root, tuple(names), options)
    return RawPairReference(sample_id, scene, files.signature, files.load, beauty=names[0])


@dataclass(frozen=True)
class _Frame:
    sample_id: str
    group: str
    root: Root
    names: tuple[str, ...]
    """Files of the beauty, the albedo, the entity ids, and the ids to mask if there are any."""
    options: ReaderOptions

    def signature(self) -> str:
        return signature(self.root, list(self.names), self.options)

    def load(self) -> RawPair:
        limit = self.options.max_pixels
        beauty, albedo = (
            read_from(self.root, name, lambda path: _read(path, limit, channels=3))
            for name in self.names[:2]
        )
        entities = read_from(self.root, self.names[2], lambda path: _read(path, limit, channels=1))
        surfaces = {"render_entity_id": entities != _VOID}
        valid, masked_id_share = combine_masks(np.ones(beauty.shape[:2], bool), surfaces), 0.0
        for name in self.names[3:]:
            ids = read_from(self.root, name, lambda path: _read(path, limit, channels=1))
            valid, masked_id_share = mask_ids(valid, ids, self.options.masked_ids)
        return RawPair(
            sample_id=self.sample_id,
            group=self.group,
            beauty=beauty.astype(np.float32, copy=False),
            albedo=albedo.astype(np.float32, copy=False),
            valid=valid,
            beauty_type=_type_name(beauty),
            albedo_type=_type_name(albedo),
            masked_id_share=masked_id_share,
        )


def _read(path: Path, max_pixels: int, channels: int) -> np.ndarray:
    """[H, W, 3], or [H, W] of one channel, of the file's own type.

    Raises:
        ValueError: if the file cannot be used; the message is the reason.
    """
    import h5py

    from albedo_pipeline.imaging.io.display_window import check_size

    try:
        with h5py.File(path, "r", locking=False) as file:  # network folders often refuse locks
            if _KEY not in file:
                raise ValueError(f"no HDF5 dataset named {_KEY}")
            data = file[_KEY]
            # Links and external storage would read other files.
            if not isinstance(file.get(_KEY, getlink=True), h5py.HardLink) or not isinstance(
                data, h5py.Dataset
            ):
                raise ValueError(f"{_KEY} is not a plain HDF5 dataset")
            if data.external or data.is_virtual or data.dtype.kind not in "fiu":
                raise ValueError(f"{_KEY} is not a plain HDF5 dataset of numbers")
            expected = (3,) if channels == 3 else ()
            if data.ndim < 2 or data.shape[2:] != expected or math.prod(data.shape) == 0:
                raise ValueError(f"an array of shape {data.shape}: expected {channels} channel(s)")
            check_size(data.shape[1], data.shape[0], max_pixels)
            return data[()]
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError("not an HDF5 file, or a damaged one") from error


def _type_name(pixels: np.ndarray) -> str:
    names = {"float16": "half", "float32": "float", "float64": "double"}
    return names.get(pixels.dtype.name, pixels.dtype.name)
