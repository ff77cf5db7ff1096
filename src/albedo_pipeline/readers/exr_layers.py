"""Raw pairs in multi-layer EXR files, one file for each frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.readers.masked_ids import check_masked_ids, mask_ids
from albedo_pipeline.readers.name_pattern import NamePattern, files_by_role
from albedo_pipeline.readers.pair_files import (
    PairReader,
    ReaderOptions,
    apply_mask_rule,
    bad_reference,
    combine_masks,
    group_of,
    read_from,
    signature,
)
from albedo_pipeline.readers.raw_pairs import RawPair, RawPairReference, ReferenceRow, References
from albedo_pipeline.readers.roots import Root, open_root

PRESETS = {
    "blender": ("ViewLayer.Combined", "ViewLayer.DiffCol"),
    "vray": ("", "VRayDiffuseFilter"),
    "mitsuba": ("", "albedo"),
}
"""Layers of beauty and albedo, as the renderers name them by default: Blender's passes Combined and
Diffuse Color, V-Ray's element VRayDiffuseFilter, Mitsuba 3's integrator `aov` with
`albedo:albedo`."""


class ExrLayersDataset(PairReader[RawPairReference]):
    """Multi-layer EXR files; a layer is a prefix of channels, or the name of a part.

    The channels are `<layer>.R`, `.G` and `.B` in any part of the file, or R, G and B in the part
    that has the layer's name; the layer "" is the plain R, G and B. Pixels with an alpha below 1
    are masked.

        raw_pairs:
          type: albedo_pipeline.readers.exr_layers.ExrLayersDataset
          filepath: data/01_raw/frames
          pattern: "{group}/{sample}.exr"
          preset: blender
          mask: ViewLayer.IndexOB.X
          mask_rule: non_zero

    Args:
        filepath: a folder, or an uncompressed `.tar`.
        pattern: pattern of the files' names; see `FolderPatternDataset`.
        preset: `blender`, `vray` or `mitsuba`: the layers that the renderer writes by default.
        beauty: layer of the beauty; overrides the preset.
        albedo: layer of the albedo; overrides the preset.
        mask: name of one channel; None if alpha is the only mask.
        ids: name of the channel with one id of an entity or a material per pixel; only with
            `masked_ids`.
        masked_ids: ids whose pixels are masked, because their target is no albedo.
        options: `colour_space` (not `srgb`), `mask_rule`, `max_megapixels`, `alpha`,
            `grey_beauty`; see `PairReader`.
    """

    def __init__(
        self,
        *,
        filepath: str,
        pattern: str = "{sample}.exr",
        preset: str | None = None,
        beauty: str | None = None,
        albedo: str | None = None,
        mask: str | None = None,
        ids: str | None = None,
        masked_ids: Sequence[int] = (),
        **options: Any,
    ) -> None:
        super().__init__(filepath=filepath, **options)
        self._options = replace(self._options, masked_ids=check_masked_ids(ids, masked_ids))
        if "srgb" in (self._options.beauty_space, self._options.albedo_space):
            raise ProjectError("colour_space: EXR layers are linear, acescg or auto, not srgb")
        if preset is not None and preset not in PRESETS:
            raise ProjectError(f"preset: {preset!r} is not one of {', '.join(PRESETS)}")
        defaults = PRESETS[preset] if preset else (None, None)
        self._layers = _Layers(
            _layer_name("beauty", beauty, defaults[0]),
            _layer_name("albedo", albedo, defaults[1]),
            mask,
            ids,
        )
        if self._layers.beauty == self._layers.albedo:
            raise ProjectError(f"albedo: {albedo!r} is also the layer of the beauty")
        self._pattern = NamePattern("pattern", pattern)

    def load(self) -> References:
        """References, sorted by the names of the samples.

        Raises:
            ProjectError: if there is no such folder, or no file fits the pattern.
        """
        root = open_root(self._path)
        frames = files_by_role(root, {"pattern": self._pattern})["pattern"]
        layers, options = self._layers, self._options

        def reference(row: ReferenceRow) -> RawPairReference:
            sample_id, group, *names = row
            if len(names) > 1:
                message = f"{', '.join(names)}: {len(names)} files for one sample"
                return bad_reference(sample_id, group, message)
            frame = _Frame(sample_id, group, root, names[0], layers, options)
            return RawPairReference(
                sample_id, group, frame.signature, frame.load, beauty=frame.name
            )

        rows = (
            (key.sample_id, key.group or group_of(key.sample, key.sample), *names)
            for key, names in sorted(frames.items())
        )
        return References(rows, reference, root.companions)

    def _describe(self) -> dict[str, object]:
        return super()._describe() | {"pattern": self._pattern.text, "layers": self._layers}


@dataclass(frozen=True)
class _Layers:
    beauty: str
    albedo: str
    mask: str | None
    ids: str | None


def _layer_name(key: str, given: str | None, default: str | None) -> str:
    layer = default if given is None else given
    if layer is None:
        raise ProjectError(f"{key}: no layer; set it, or set preset ({', '.join(PRESETS)})")
    return layer


@dataclass(frozen=True)
class _Frame:
    sample_id: str
    group: str
    root: Root
    name: str
    layers: _Layers
    options: ReaderOptions

    def signature(self) -> str:
        return signature(self.root, [self.name], self.layers, self.options)

    def load(self) -> RawPair:
        from albedo_pipeline.imaging.io.ids import read_ids
        from albedo_pipeline.imaging.io.read import read_colour, read_mask

        limit, layers = self.options.max_pixels, self.layers
        beauty, albedo, mask, ids = read_from(
            self.root,
            self.name,
            lambda path: (
                read_colour(path, limit, layers.beauty, self.options.beauty),
                read_colour(path, limit, layers.albedo, self.options.albedo),
                read_mask(path, limit, layers.mask) if layers.mask else None,
                read_ids(path, limit, layers.ids) if layers.ids else None,
            ),
        )
        masks = {"beauty": beauty.present, "albedo": albedo.present}
        if mask is not None:
            masks["mask"] = apply_mask_rule(mask, self.options.mask_rule)
        valid, masked_id_share = np.ones(beauty.pixels.shape[:2], bool), 0.0
        valid = combine_masks(valid, masks)
        if ids is not None:
            valid, masked_id_share = mask_ids(valid, ids, self.options.masked_ids)
        return RawPair(
            sample_id=self.sample_id,
            group=self.group,
            beauty=beauty.pixels,
            albedo=albedo.pixels,
            valid=valid,
            beauty_space=beauty.space,
            albedo_space=albedo.space,
            beauty_type=beauty.type,
            albedo_type=albedo.type,
            attributes=beauty.attributes,
            beauty_notes=beauty.notes,
            albedo_notes=albedo.notes,
            masked_id_share=masked_id_share,
        )
