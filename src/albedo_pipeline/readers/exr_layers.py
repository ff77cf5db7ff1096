"""Raw pairs in multi-layer EXR files: one file a frame."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.readers.name_pattern import NamePattern, files_by_role
from albedo_pipeline.readers.pair_files import (
    Declaration,
    PairReader,
    apply_rule,
    bad_reference,
    combined,
    group_of,
    read_from,
    signature,
)
from albedo_pipeline.readers.raw_pairs import RawPair, RawPairReference
from albedo_pipeline.readers.roots import Root, open_root

PRESETS = {
    "blender": ("ViewLayer.Combined", "ViewLayer.DiffCol"),
    "vray": ("", "VRayDiffuseFilter"),
    "mitsuba": ("", "albedo"),
}
"""Layers of beauty and albedo as the renderers name them: Blender's passes Combined and Diffuse
Color, V-Ray's element VRayDiffuseFilter, Mitsuba 3's integrator `aov` with `albedo:albedo`."""


class ExrLayersDataset(PairReader[RawPairReference]):
    """Multi-layer EXR files; a layer is a prefix of channels, or a part of that name.

    The channels are `<layer>.R`, `.G` and `.B` in any part of the file, or R, G and B in the part
    that has the layer's name; the layer "" is the plain R, G and B. Alpha below 1 masks.

        raw_pairs:
          type: albedo_pipeline.readers.exr_layers.ExrLayersDataset
          filepath: data/01_raw/frames
          pattern: "{group}/{sample}.exr"
          preset: blender
          mask: ViewLayer.IndexOB.X
          mask_rule: non_zero

    Args:
        filepath: a folder, or an uncompressed `.tar`.
        pattern: of the files' names; see `FolderPatternDataset`.
        preset: `blender`, `vray` or `mitsuba`: where the renderer puts the layers by default.
        beauty: layer of the beauty; goes before the preset's.
        albedo: layer of the albedo; likewise.
        mask: name of one channel; none: there is no mask but alpha.
        options: `colour_space` (`linear` or `acescg`), `mask_rule`, `max_megapixels`; see
            `PairReader`.
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
        **options: Any,
    ) -> None:
        super().__init__(filepath=filepath, **options)
        if "srgb" in (self._declaration.beauty_space, self._declaration.albedo_space):
            raise ProjectError("colour_space: EXR layers are linear or acescg, not srgb")
        if preset is not None and preset not in PRESETS:
            raise ProjectError(f"preset: {preset!r} is not one of {', '.join(PRESETS)}")
        usual = PRESETS[preset] if preset else (None, None)
        self._layers = _Layers(
            _layer("beauty", beauty, usual[0]), _layer("albedo", albedo, usual[1]), mask
        )
        if self._layers.beauty == self._layers.albedo:
            raise ProjectError(f"albedo: {albedo!r} is the layer of the beauty too")
        self._pattern = NamePattern("pattern", pattern)

    def load(self) -> list[RawPairReference]:
        """References in the order of the sample's names.

        Raises:
            ProjectError: where there is no such folder, or no file fits the pattern.
        """
        root = open_root(self._path)
        frames = files_by_role(root, {"pattern": self._pattern})["pattern"]
        references = []
        for key, names in sorted(frames.items()):
            group = key.group or group_of(key.sample, key.sample)
            if len(names) > 1:
                message = f"{', '.join(names)}: {len(names)} files for one sample"
                references.append(bad_reference(key.sample_id, group, message))
                continue
            frame = _Frame(key.sample_id, group, root, names[0], self._layers, self._declaration)
            references.append(RawPairReference(key.sample_id, group, frame.signature, frame.load))
        return references

    def _describe(self) -> dict[str, object]:
        return super()._describe() | {"pattern": self._pattern.text, "layers": self._layers}


@dataclass(frozen=True)
class _Layers:
    beauty: str
    albedo: str
    mask: str | None


def _layer(key: str, given: str | None, usual: str | None) -> str:
    layer = usual if given is None else given
    if layer is None:
        raise ProjectError(f"{key}: no layer; name it, or a preset ({', '.join(PRESETS)})")
    return layer


@dataclass(frozen=True)
class _Frame:
    sample_id: str
    group: str
    root: Root
    name: str
    layers: _Layers
    declaration: Declaration

    def signature(self) -> str:
        return signature(self.root, [self.name], self.layers, self.declaration)

    def load(self) -> RawPair:
        from albedo_pipeline.imaging.io.read import read_colour, read_mask

        limit, layers = self.declaration.max_pixels, self.layers
        beauty, albedo, mask = read_from(
            self.root,
            self.name,
            lambda path: (
                read_colour(path, limit, layers.beauty),
                read_colour(path, limit, layers.albedo),
                read_mask(path, limit, layers.mask) if layers.mask else None,
            ),
        )
        masks = {"beauty": beauty.present, "albedo": albedo.present}
        if mask is not None:
            masks["mask"] = apply_rule(mask, self.declaration.mask_rule)
        return RawPair(
            sample_id=self.sample_id,
            group=self.group,
            beauty=beauty.pixels,
            albedo=albedo.pixels,
            valid=combined(np.ones(beauty.pixels.shape[:2], bool), masks),
            beauty_space=self.declaration.beauty_space,
            albedo_space=self.declaration.albedo_space,
            beauty_type=beauty.type,
            albedo_type=albedo.type,
            attributes=beauty.attributes,
        )
