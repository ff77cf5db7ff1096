"""All that touches Mitsuba: descriptions => Mitsuba scene => arrays."""

from types import ModuleType

import numpy as np

from albedo_pipeline.rendering.cameras import FIELD_OF_VIEW, Camera
from albedo_pipeline.rendering.meshes import Mesh
from albedo_pipeline.rendering.settings import RenderSettings

BLOCK = 16
"""Pixels across a block. Each has its own random stream, so it must not follow the core count."""
COVERED = 1 - 1e-4
"""Coverage of a pixel that is full but for rounding."""


def mitsuba() -> ModuleType:
    """Mitsuba, set to the variant that needs no LLVM, and silent about single bad samples."""
    import mitsuba as mi

    mi.set_variant("scalar_rgb")
    mi.set_log_level(mi.LogLevel.Error)
    return mi


def render_parts(
    parts: dict, camera: Camera, settings: RenderSettings, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Beauty, albedo (float32 [H, W, 3], linear Rec.709) and where the albedo counts, bool [H, W].

    The albedo counts in pixels that surfaces cover wholly: a light source or the background in a
    part of the pixel would mix its own into the mean. `seed` is of the light paths, in [0, 2^32).
    """
    mi = mitsuba()
    described = {name: _built(mi, part) for name, part in parts.items()}
    scene = mi.load_dict(
        {
            "type": "scene",
            "integrator": _integrator(settings.max_depth),
            "sensor": _sensor(mi, camera, settings),
            **described,
        }
    )
    image = np.array(mi.render(scene, seed=seed), dtype=np.float32)  # [H, W, 11]
    beauty, coverage = image[..., 0:3], image[..., 3]
    emission, albedo = image[..., 4:7], image[..., 8:11]
    valid = (coverage > COVERED) & (emission.sum(axis=-1) == 0) & (albedo > 0).any(axis=-1)
    return beauty, albedo, valid


def _integrator(max_depth: int) -> dict:
    """Beauty, emission seen directly (paths of one segment) and albedo, of the same camera rays."""
    return {
        "type": "aov",
        "aovs": "albedo:albedo",
        "block_size": BLOCK,
        "beauty": {"type": "path", "max_depth": max_depth},
        "emission": {"type": "path", "max_depth": 1},
    }


def _sensor(mi: ModuleType, camera: Camera, settings: RenderSettings) -> dict:
    origin, target = camera.origin.tolist(), camera.target.tolist()
    return {
        "type": "perspective",
        "fov": FIELD_OF_VIEW,
        "to_world": mi.ScalarTransform4f().look_at(origin, target, [0, 0, 1]),
        "sampler": {"type": "multijitter", "sample_count": settings.samples_per_pixel},
        "film": {
            "type": "hdrfilm",
            "width": settings.resolution,
            "height": settings.resolution,
            "pixel_format": "rgba",
            "component_format": "float32",
            # A pixel is the mean of its own samples: no neighbour's light leaks into the mask.
            "rfilter": {"type": "box"},
        },
    }


def _built(mi: ModuleType, part: object) -> object:
    """A description with every array and mesh replaced by Mitsuba's own object."""
    if not isinstance(part, dict):
        return part
    if part["type"] == "mesh":
        return _mesh(mi, part)
    built = {key: _built(mi, value) for key, value in part.items()}
    if part["type"] == "bitmap":
        built["bitmap"] = mi.Bitmap(built.pop("data"))
        built["to_uv"] = mi.ScalarTransform4f().scale(built.pop("repeats"))
    if part["type"] == "envmap":
        built["bitmap"] = mi.Bitmap(part["bitmap"])
        built["to_world"] = mi.ScalarTransform4f().rotate([1, 0, 0], 90)  # y up => z up
    return built


def _mesh(mi: ModuleType, part: dict) -> object:
    mesh: Mesh = part["mesh"]
    props = mi.Properties()
    for key in part.keys() - {"type", "mesh"}:
        props[key] = mi.load_dict(_built(mi, part[key]))
    built = mi.Mesh(
        "mesh",
        vertex_count=len(mesh.vertices),
        face_count=len(mesh.faces),
        has_vertex_normals=True,
        has_vertex_texcoords=True,
        props=props,
    )
    fields = mi.traverse(built)
    fields["vertex_positions"] = mesh.vertices.ravel().astype(np.float32)
    fields["vertex_normals"] = mesh.normals.ravel().astype(np.float32)
    fields["vertex_texcoords"] = mesh.texcoords.ravel().astype(np.float32)
    fields["faces"] = mesh.faces.ravel().astype(np.uint32)
    fields.update()
    return built
