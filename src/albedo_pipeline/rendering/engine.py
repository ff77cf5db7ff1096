"""The only module that calls Mitsuba: descriptions => Mitsuba scene => arrays."""

from dataclasses import dataclass
from types import ModuleType

import numpy as np
from scipy.ndimage import binary_erosion

from albedo_pipeline.rendering.cameras import Camera
from albedo_pipeline.rendering.materials import ALBEDO_KEYS
from albedo_pipeline.rendering.meshes import Mesh
from albedo_pipeline.rendering.scene import World

BLOCK_SIZE = 16
"""Side of the blocks that Mitsuba renders, pixels. Each block has its own random stream, so a fixed
size keeps the render independent of the number of cores."""
EMISSION_INTEGRATOR = {"type": "path", "max_depth": 1, "block_size": BLOCK_SIZE}
"""Integrator of the light sources that the camera sees directly (paths of one segment)."""
SURFACE_INTEGRATOR = {
    "type": "aov",
    "aovs": "albedo:albedo",
    "block_size": BLOCK_SIZE,
    "emission": {"type": "path", "max_depth": 1},
}
"""Integrator of the surface pass: albedo, coverage, and the light sources in view."""
SURFACE_SAMPLES = 16
"""Camera rays per pixel of the surface pass. It is a pass of its own because it has noise only at
edges and so needs fewer samples than beauty, and because Mitsuba's aov integrator would double the
cost of every sample of beauty."""
FULL_COVERAGE = 1 - 1e-4
"""Coverage above which a pixel counts as fully covered; the margin allows for rounding."""


@dataclass(frozen=True)
class RenderSettings:
    """World, size and quality of every image of a run."""

    resolution: int
    """Width and height of the image, pixels."""
    samples_per_pixel: int
    """Light paths per pixel. Mitsuba rounds up to a grid of strata: 24 stays 24, 32 becomes 35."""
    max_depth: int
    """Length of the longest light path, in segments; 2 is direct light only."""
    world: World = "tabletop"
    """What the scenes are drawn from."""


def mitsuba() -> ModuleType:
    """Import Mitsuba in the variant that needs no LLVM, without warnings of single bad samples."""
    import mitsuba as mi

    mi.set_variant("scalar_rgb")
    mi.set_log_level(mi.LogLevel.Error)
    return mi


@dataclass(frozen=True)
class BuiltScene:
    """A scene in Mitsuba; it has no camera."""

    scene: object
    """The surfaces and lights."""
    glowing: object | None
    """The same surfaces, with their albedo as their radiance; None if Mitsuba's aov integrator is
    to give the albedo. The time that integrator takes for a ray grows with the number of surfaces,
    and is ten times as long for 40."""


def build_scene(descriptions: dict, world: World = "tabletop") -> BuiltScene:
    """Build a `Scene`'s surfaces and lights, given by name."""
    mi = mitsuba()
    loaded = {name: _to_mitsuba(mi, item) for name, item in descriptions.items()}
    glowing = None
    if world == "wide":
        surfaces = {name: item for name, item in descriptions.items() if "emitter" not in item}
        twins = {n: _glowing_mesh(mi, item) for n, item in surfaces.items() if "bsdf" in item}
        glowing = mi.load_dict({"type": "scene", **twins})
    return BuiltScene(mi.load_dict({"type": "scene", **loaded}), glowing)


def render_scene(
    built: BuiltScene, camera: Camera, settings: RenderSettings, seed: int, surface_seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Render beauty and albedo (float32 [H, W, 3], linear Rec.709) and the valid mask, bool [H, W].

    A pixel is valid if surfaces cover it completely: a light source or the background in a part of
    it would mix its own colour into the mean. Valid albedo depends only on the surfaces, the camera
    and `surface_seed`.

    Args:
        built: from `build_scene`; not changed.
        camera: the camera to render from.
        settings: size and quality of the beauty.
        seed: seed of the light paths, in [0, 2^32).
        surface_seed: seed of the camera rays of the surface pass, in [0, 2^32).
    """
    mi = mitsuba()
    sensor = mi.load_dict(_sensor(mi, camera, settings))

    def rendered(description: dict, samples: int, seed: int, scene: object) -> np.ndarray:
        integrator = mi.load_dict(description)
        image = mi.render(scene, sensor=sensor, integrator=integrator, spp=samples, seed=seed)
        return np.array(image, dtype=np.float32)

    path = {"type": "path", "max_depth": settings.max_depth, "block_size": BLOCK_SIZE}
    beauty = rendered(path, settings.samples_per_pixel, seed, built.scene)[..., 0:3]
    if built.glowing is None:
        # [H, W, 7]
        surface = rendered(SURFACE_INTEGRATOR, SURFACE_SAMPLES, surface_seed, built.scene)
        emission, coverage, albedo = surface[..., 0:3], surface[..., 3], surface[..., 4:7]
    else:
        seen = rendered(EMISSION_INTEGRATOR, SURFACE_SAMPLES, surface_seed, built.scene)
        emission, coverage = seen[..., 0:3], np.ones(seen.shape[:2])  # the environment is emission
        glow = rendered(EMISSION_INTEGRATOR, SURFACE_SAMPLES, surface_seed, built.glowing)
        albedo = glow[..., 0:3]
    covered = (coverage > FULL_COVERAGE) & (emission.sum(axis=-1) == 0) & (albedo > 0).any(axis=-1)
    # The surface samples of a pixel can miss a sliver of a light that its neighbour shows.
    valid = binary_erosion(covered, np.ones((3, 3)), border_value=1)
    return beauty, albedo, valid


def _sensor(mi: ModuleType, camera: Camera, settings: RenderSettings) -> dict:
    origin, target = camera.origin.tolist(), camera.target.tolist()
    return {
        "type": "perspective",
        "fov": camera.field_of_view,
        "to_world": mi.ScalarTransform4f().look_at(origin, target, list(camera.up)),
        "sampler": {"type": "multijitter", "sample_count": settings.samples_per_pixel},
        "film": {
            "type": "hdrfilm",
            "width": settings.resolution,
            "height": settings.resolution,
            "pixel_format": "rgba",
            "component_format": "float32",
            # A box filter averages a pixel's own samples only, so no neighbour changes the mask.
            "rfilter": {"type": "box"},
        },
    }


def _to_mitsuba(mi: ModuleType, description: object) -> object:
    """The description with every array and mesh replaced by a Mitsuba object."""
    if not isinstance(description, dict):
        return description
    if description["type"] == "mesh":
        return _mitsuba_mesh(mi, description)
    loadable = {key: _to_mitsuba(mi, value) for key, value in description.items()}
    if description["type"] == "bitmap":
        loadable["bitmap"] = mi.Bitmap(loadable.pop("data"))
        loadable["to_uv"] = mi.ScalarTransform4f().scale(loadable.pop("repeats"))
    if description["type"] == "envmap":
        loadable["bitmap"] = mi.Bitmap(description["bitmap"])
        loadable["to_world"] = mi.ScalarTransform4f().rotate([1, 0, 0], 90)  # y up => z up
    return loadable


def _glowing_mesh(mi: ModuleType, description: dict) -> object:
    """The mesh with the albedo of its material as radiance, on the fronts of its triangles."""
    surface = description["bsdf"]["surface"]
    (albedo,) = (surface[key] for key in ALBEDO_KEYS if key in surface)
    black = {"type": "diffuse", "reflectance": {"type": "rgb", "value": 0.0}}
    emitter = {"type": "area", "radiance": albedo}
    # Without vertex normals, which may point away from the camera at the rim of an object.
    return _mitsuba_mesh(mi, description | {"bsdf": black, "emitter": emitter}, smooth=False)


def _mitsuba_mesh(mi: ModuleType, description: dict, smooth: bool = True) -> object:
    mesh: Mesh = description["mesh"]
    props = mi.Properties()
    for key in description.keys() - {"type", "mesh"}:
        props[key] = mi.load_dict(_to_mitsuba(mi, description[key]))
    mitsuba_mesh = mi.Mesh(
        "mesh",
        vertex_count=len(mesh.vertices),
        face_count=len(mesh.faces),
        has_vertex_normals=smooth,
        has_vertex_texcoords=True,
        props=props,
    )
    fields = mi.traverse(mitsuba_mesh)
    fields["vertex_positions"] = mesh.vertices.ravel().astype(np.float32)
    if smooth:
        fields["vertex_normals"] = mesh.normals.ravel().astype(np.float32)
    fields["vertex_texcoords"] = mesh.texcoords.ravel().astype(np.float32)
    fields["faces"] = mesh.faces.ravel().astype(np.uint32)
    fields.update()
    return mitsuba_mesh
