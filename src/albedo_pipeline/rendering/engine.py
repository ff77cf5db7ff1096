"""All that touches Mitsuba: descriptions => Mitsuba scene => arrays."""

from types import ModuleType

import numpy as np
from scipy.ndimage import binary_erosion

from albedo_pipeline.rendering.cameras import FIELD_OF_VIEW, Camera
from albedo_pipeline.rendering.meshes import Mesh
from albedo_pipeline.rendering.settings import RenderSettings

BLOCK = 16
"""Pixels across a block. Each has its own random stream, so it must not follow the core count."""
SURFACE = {
    "type": "aov",
    "aovs": "albedo:albedo",
    "block_size": BLOCK,
    "emission": {"type": "path", "max_depth": 1},
}
"""Albedo, coverage, and the light that is seen directly (paths of one segment)."""
SURFACE_SAMPLES = 16
"""Camera rays a pixel for SURFACE: it has no noise but at edges, so it needs fewer than beauty, and
within Mitsuba's aov integrator every sample of beauty would cost twice as much."""
COVERED = 1 - 1e-4
"""Coverage of a pixel that is full but for rounding."""


def mitsuba() -> ModuleType:
    """Mitsuba, set to the variant that needs no LLVM, and silent about single bad samples."""
    import mitsuba as mi

    mi.set_variant("scalar_rgb")
    mi.set_log_level(mi.LogLevel.Error)
    return mi


def build_scene(parts: dict) -> object:
    """The Mitsuba scene of these descriptions (of a `Scene`): shapes and lights, no camera."""
    mi = mitsuba()
    built = {name: _built(mi, part) for name, part in parts.items()}
    return mi.load_dict({"type": "scene", **built})


def render_scene(
    scene: object, camera: Camera, settings: RenderSettings, seed: int, surface_seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Beauty, albedo (float32 [H, W, 3], linear Rec.709) and where the albedo counts, bool [H, W].

    The albedo counts in pixels that surfaces cover wholly: a light source or the background in a
    part of the pixel would mix its own into the mean. `scene` is of `build_scene` and is not
    changed; `seed` is of the light paths, `surface_seed` of the camera's rays to the surfaces, in
    [0, 2^32). Where it counts the albedo depends on surfaces, camera and `surface_seed` alone.
    """
    mi = mitsuba()
    sensor = mi.load_dict(_sensor(mi, camera, settings))

    def rendered(integrator: dict, samples: int, seed: int) -> np.ndarray:
        loaded = mi.load_dict(integrator)
        image = mi.render(scene, sensor=sensor, integrator=loaded, spp=samples, seed=seed)
        return np.array(image, dtype=np.float32)

    path = {"type": "path", "max_depth": settings.max_depth, "block_size": BLOCK}
    beauty = rendered(path, settings.samples_per_pixel, seed)[..., 0:3]
    surface = rendered(SURFACE, SURFACE_SAMPLES, surface_seed)  # [H, W, 7]
    emission, coverage, albedo = surface[..., 0:3], surface[..., 3], surface[..., 4:7]
    covered = (coverage > COVERED) & (emission.sum(axis=-1) == 0) & (albedo > 0).any(axis=-1)
    # A sliver of a light that the few surface samples missed shows in the next pixel.
    valid = binary_erosion(covered, np.ones((3, 3)), border_value=1)
    return beauty, albedo, valid


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
