"""Multi-layer EXR files: layers of the usual renderers, parts, masks."""

from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.readers.exr_layers import ExrLayersDataset
from albedo_pipeline.readers.raw_pairs import RawPair
from tests.support import broken_images as broken

LAYERS = {"beauty": "", "albedo": "albedo"}


def load(folder: Path, **options) -> RawPair:
    return ExrLayersDataset(filepath=str(folder), **options).load()[0].load()


def channels(layer: str, letters: str = "RGB") -> tuple[str, ...]:
    return tuple(f"{layer}.{letter}" if layer else letter for letter in letters)


@pytest.mark.parametrize(
    ("preset", "beauty", "albedo"),
    [
        ("blender", "ViewLayer.Combined", "ViewLayer.DiffCol"),
        ("vray", "", "VRayDiffuseFilter"),
        ("mitsuba", "", "albedo"),
    ],
)
def test_presets(tmp_path: Path, preset: str, beauty: str, albedo: str) -> None:
    pixels = broken.noise(channels=8)
    names = (*channels(albedo), "depth.Z", *channels(beauty, "RGBA"))
    pixels[..., 7] = 1
    broken.image(tmp_path / "f.0001.exr", pixels, names)
    pair = load(tmp_path, preset=preset)
    np.testing.assert_array_equal(pair.albedo, pixels[..., :3])
    np.testing.assert_array_equal(pair.beauty, pixels[..., 4:7])
    assert (pair.sample_id, pair.group, pair.valid.all()) == ("f.0001", "f.0001", True)


def test_what_mitsuba_writes(tmp_path: Path) -> None:
    mitsuba = pytest.importorskip("mitsuba")
    mitsuba.set_variant("scalar_rgb")
    film = {"type": "hdrfilm", "width": 16, "height": 16, "pixel_format": "rgb"}
    diffuse = {"type": "diffuse", "reflectance": {"type": "rgb", "value": [0.2, 0.4, 0.8]}}
    to_world = mitsuba.ScalarTransform4f().translate([0, 0, 3]).scale(5)
    scene = mitsuba.load_dict(
        {
            "type": "scene",
            "integrator": {"type": "aov", "aovs": "albedo:albedo", "image": {"type": "path"}},
            "sensor": {"type": "perspective", "film": film},
            "wall": {"type": "rectangle", "to_world": to_world, "flip_normals": True, "b": diffuse},
            "light": {"type": "constant"},
        }
    )
    mitsuba.render(scene, spp=4)
    scene.sensors()[0].film().bitmap().write(str(tmp_path / "1.exr"))
    pair = load(tmp_path, preset="mitsuba")
    np.testing.assert_allclose(pair.albedo[8, 8], [0.2, 0.4, 0.8], atol=1e-3)
    assert pair.beauty.shape == (16, 16, 3)


def test_layers_that_are_parts(tmp_path: Path) -> None:
    pixels = broken.noise(channels=7)
    parts = {
        "rgba": (pixels[..., :3], tuple("RGB")),
        "albedo": (pixels[..., 3:6], tuple("RGB")),
        "id": (pixels[..., 6:], ("X",)),
    }
    broken.multi_part(tmp_path / "1.exr", parts)
    pair = load(tmp_path, beauty="rgba", albedo="albedo", mask="id.X")
    np.testing.assert_array_equal(pair.beauty, pixels[..., :3])
    np.testing.assert_array_equal(pair.albedo, pixels[..., 3:6])
    np.testing.assert_array_equal(pair.valid, pixels[..., 6] > 0.5)
    with pytest.raises(BadSampleError, match=r"^1\.exr: parts rgba, albedo: 2 parts hold red,"):
        load(tmp_path, **LAYERS)


def test_mask_alpha_and_space(tmp_path: Path) -> None:
    pixels = np.ones((4, 4, 8), np.float32)
    pixels[0, 0, 3], pixels[1, 1, 7] = 0, 0
    names = ("R", "G", "B", "A", *channels("albedo"), "ID")
    broken.image(tmp_path / "1.exr", pixels, names)
    pair = load(tmp_path, **LAYERS, mask="ID", mask_rule="non_zero", colour_space="acescg")
    assert np.argwhere(~pair.valid).tolist() == [[0, 0], [1, 1]]
    assert (pair.beauty_space, pair.albedo_space) == ("acescg", "acescg")


def test_pixels_are_masked_by_their_ids(tmp_path: Path) -> None:
    pixels = np.ones((4, 4, 7), np.float32)
    pixels[1, :2, 6], pixels[2, 3, 6] = 12, 5
    broken.image(tmp_path / "1.exr", pixels, (*"RGB", *channels("albedo"), "IndexMA.X"))
    pair = load(tmp_path, **LAYERS, ids="IndexMA.X", masked_ids=[5, 12])
    assert np.argwhere(~pair.valid).tolist() == [[1, 0], [1, 1], [2, 3]]
    assert pair.masked_id_share == 3 / 16
    options = ({}, {"ids": "IndexMA.X", "masked_ids": [5]}, {"ids": "IndexMA.X", "masked_ids": [1]})
    signatures = {
        ExrLayersDataset(filepath=str(tmp_path), **LAYERS, **o).load()[0].signature()
        for o in options
    }
    assert len(signatures) == 3


def test_names_and_groups(tmp_path: Path) -> None:
    for name in ("s1/cam/1.exr", "s2/cam/1.exr"):
        (tmp_path / name).parent.mkdir(parents=True)
        broken.image(tmp_path / name, broken.noise())
    options = {"filepath": str(tmp_path), **LAYERS}
    plain = ExrLayersDataset(**options).load()
    assert (plain[0].sample_id, plain[0].group) == ("s1/cam/1", "s1/cam")
    grouped = ExrLayersDataset(**options, pattern="{group}/cam/{sample}.exr").load()
    assert [(r.sample_id, r.group) for r in grouped] == [("s1/1", "s1"), ("s2/1", "s2")]
    double = ExrLayersDataset(**options, pattern="*/cam/{sample}.exr").load()
    with pytest.raises(BadSampleError, match=r"s2/cam/1\.exr: 2 files for one sample$"):
        double[0].load()


def test_a_missing_layer_lists_channels(tmp_path: Path) -> None:
    broken.odd_channels(tmp_path / "1.exr")
    listed = r"^1\.exr: 10 channel\(s\) \(c0, c1, c2, c3, c4, c5, c6, c7, …\), expected "
    with pytest.raises(BadSampleError, match=listed + r"ViewLayer\.Combined\.R, .*\.B$"):
        load(tmp_path, preset="blender")
    broken.image(tmp_path / "1.exr", broken.noise(channels=6), (*"RGB", *channels("albedo")))
    with pytest.raises(BadSampleError, match=r"\(R, G, B, .*\), expected one ID$"):
        load(tmp_path, **LAYERS, mask="ID")


def test_a_signature_tells_the_layers(tmp_path: Path) -> None:
    broken.image(tmp_path / "1.exr", broken.noise())
    signatures = {
        ExrLayersDataset(filepath=str(tmp_path), **o).load()[0].signature()
        for o in (LAYERS, {"preset": "vray"}, {"preset": "blender"}, LAYERS | {"mask": "A"})
    }
    assert len(signatures) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"^beauty: no layer; set it, or set preset \(blender, vray, mitsuba\)$"),
        ({"beauty": ""}, "^albedo: no layer"),
        ({"preset": "cycles"}, "^preset: 'cycles' is not one of blender, vray, mitsuba$"),
        ({"beauty": "x", "albedo": "x"}, "^albedo: 'x' is also the layer of the beauty$"),
        (
            {"preset": "vray", "colour_space": "srgb"},
            "^colour_space: EXR layers are linear, acescg or",
        ),
        ({"preset": "vray", "pattern": "*.exr"}, r"^pattern: '\*\.exr' must contain \{sample\}"),
    ],
)
def test_wrong_arguments_are_named(options: dict, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        ExrLayersDataset(filepath="x", **options)
