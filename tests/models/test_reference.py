"""The reference of an export, and the check of a host against it."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import MarigoldIntrinsicsPipeline
from safetensors.torch import load_file, save_file

from albedo_pipeline.models.host_check import RECORD, TENSORS, verdict
from albedo_pipeline.models.reference import make_reference, reference_picture
from albedo_pipeline.runtime.checksums import write_checksums
from tests.support.marigold import save_marigold

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported folder with its reference."""
    folder = save_marigold(tmp_path_factory.mktemp("marigold") / "export")
    pipeline = MarigoldIntrinsicsPipeline.from_pretrained(folder)
    make_reference(pipeline, 33).write(folder)
    write_checksums(folder)
    return folder


@pytest.fixture
def folder(untouched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(untouched, tmp_path / "export"))


def change_a_weight(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    weights["conv_out.bias"][0] += 0.5
    save_file(weights, folder / WEIGHTS, {"format": "pt"})


def test_the_reference_is_what_diffusers_predicts(untouched: Path) -> None:
    tensors = load_file(untouched / TENSORS)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    assert shapes == {
        "input": (1, 3, 32, 32),  # 33 is no multiple of the autoencoder's factor
        "noise": (1, 4, 16, 16),
        "output": (1, 3, 32, 32),
    }
    pipeline = MarigoldIntrinsicsPipeline.from_pretrained(untouched)
    pipeline.set_progress_bar_config(disable=True)
    image, noise = tensors["input"], tensors["noise"]
    again = pipeline(image, latents=noise, processing_resolution=0, output_type="pt").prediction
    torch.testing.assert_close(again, tensors["output"], atol=1e-5, rtol=0)
    assert json.loads((untouched / RECORD).read_text())["steps"] == 2


def test_this_host_gives_the_same_picture(untouched: Path) -> None:
    is_same, line = verdict(untouched, "cpu")
    assert is_same, line
    assert line.startswith(f"{untouched}: the same picture, to ")


def test_a_changed_weight_is_named_by_its_file(folder: Path) -> None:
    change_a_weight(folder)
    line = f"{folder}: {WEIGHTS} is not what was exported; get the folder again"
    assert verdict(folder, "cpu") == (False, line)


def test_another_picture_is_told_from_the_same_one(folder: Path) -> None:
    change_a_weight(folder)
    write_checksums(folder)  # so that the picture alone shows it
    is_same, line = verdict(folder, "cpu")
    assert not is_same
    assert "another picture: it differs by up to 0." in line
    assert "and 0.001 is allowed" in line
    assert "\n" not in line


def test_a_changed_reference_is_named(folder: Path) -> None:
    tensors = load_file(folder / TENSORS)
    save_file(tensors | {"output": tensors["output"] / 2}, folder / TENSORS)
    assert verdict(folder, "cpu") == (
        False,
        f"{folder / TENSORS}: output is not what was exported; get it again",
    )


def test_an_older_export_has_no_reference(folder: Path) -> None:
    shutil.rmtree(folder / "reference")
    line = f"{folder}: no exported model with a reference; export the model again"
    assert verdict(folder, "cpu") == (False, line)


def test_the_picture_has_colours_light_and_shadow() -> None:
    picture = reference_picture(64)
    assert (picture.shape, picture.dtype.name) == ((64, 64, 3), "uint8")
    assert len({tuple(pixel) for pixel in picture.reshape(-1, 3)}) > 900
    assert (int(picture.min()), int(picture.max())) == (4, 206)
