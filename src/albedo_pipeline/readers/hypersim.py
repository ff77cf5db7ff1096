"""Raw pairs of Hypersim (Roberts et al. 2021), as its archives unpack."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.readers.pair_files import (
    PairReader,
    ReaderOptions,
    bad_reference,
    combine_masks,
    read_from,
    signature,
)
from albedo_pipeline.readers.raw_pairs import FoundPairs, RawPair, RawPairReference
from albedo_pipeline.readers.roots import Root, open_root

_COLOUR = re.compile(
    r"(?P<scene>.+)/images/scene_(?P<camera>cam_[^/]+)_final_hdf5/(?P<frame>[^/]+)\.color\.hdf5"
)
_KEY = "dataset"
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

    Args:
        filepath: the folder that holds the scenes, or an uncompressed `.tar` of it.
        max_megapixels: see `PairReader`.
    """

    def __init__(
        self, *, filepath: str, max_megapixels: float = 128, metadata: dict | None = None
    ) -> None:
        super().__init__(filepath=filepath, max_megapixels=max_megapixels, metadata=metadata)

    def load(self) -> FoundPairs:
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
        references = [_reference(root, match, present, self._options) for match in found]
        return FoundPairs(references, root.companions)


def _reference(
    root: Root, match: re.Match, present: set[str], options: ReaderOptions
) -> RawPairReference:
    scene, camera, frame = match.group("scene", "camera", "frame")
    folder = f"{scene}/images/scene_{camera}"
    albedo = f"{folder}_final_hdf5/{frame}.diffuse_reflectance.hdf5"
    entities = f"{folder}_geometry_hdf5/{frame}.render_entity_id.hdf5"
    sample_id = f"{scene}/{camera}/{frame}"
    for name, role in ((albedo, "albedo"), (entities, "entity ids")):
        if name not in present:
            return bad_reference(sample_id, scene, f"{name}: no {role}")
    files = _Frame(sample_id, scene, root, (match.string, albedo, entities), options)
    return RawPairReference(sample_id, scene, files.signature, files.load)


@dataclass(frozen=True)
class _Frame:
    sample_id: str
    group: str
    root: Root
    names: tuple[str, str, str]
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
        return RawPair(
            sample_id=self.sample_id,
            group=self.group,
            beauty=beauty.astype(np.float32, copy=False),
            albedo=albedo.astype(np.float32, copy=False),
            valid=combine_masks(np.ones(beauty.shape[:2], bool), surfaces),
            beauty_type=_type_name(beauty),
            albedo_type=_type_name(albedo),
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
