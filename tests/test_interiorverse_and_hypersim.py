"""`docs/interiorverse-and-hypersim.md`, followed word for word on folders in the same layouts."""

import json
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from tests.support import broken_images as broken
from tests.support.project import ROOT, new_project

PAGE = (ROOT / "docs" / "interiorverse-and-hypersim.md").read_text(encoding="utf-8")
SCENES = {"train": ["L3D1", "L3D2"], "val": ["L3D3"], "test": ["L3D4"]}
HEIGHT, WIDTH = 480, 640


def commands(heading: str) -> list[str]:
    """The commands below a heading, up to the next one, without downloads and what needs a GPU."""
    section = re.split(r"^##+ ", PAGE.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.M)[0]
    blocks = re.findall(r"^```\n(.*?)^```$", section, re.DOTALL | re.M)
    return [b for b in blocks if not re.match(r"git clone|.*autoencoder,encode,train", b)]


def follow(blocks: list[str], folder: Path) -> str:
    """Type the commands in a project, with `/data` in `folder`; returns what the last printed."""
    project = folder / "project"
    if not project.exists():
        project.mkdir()
        new_project(project)
    script = "set -e\n" + "\n".join(blocks)
    script = re.sub(r"(?<![\w.])/data/", f"{folder}/data/", script)
    script = script.replace("kedro run", f"{sys.executable} -m kedro run")
    script = script.replace("python -", f"{sys.executable} -")
    script = script.replace(f"{sys.executable} -m json.tool", "cat")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=project,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def write(path: Path, pixels: np.ndarray, kind: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "hdf5":
        with h5py.File(path, "w") as file:
            file.create_dataset("dataset", data=pixels)
    elif kind == "npy":
        np.save(path, pixels)
    else:
        broken.image(path, pixels)


def image(seed: int) -> np.ndarray:
    """Linear tiles of 40 pixels, half float [480, 640, 3] in [0.05, 0.9)."""
    tiles = np.random.default_rng(seed).uniform(0.05, 0.9, (HEIGHT // 40, WIDTH // 40, 3))
    return np.kron(tiles, np.ones((40, 40, 1))).astype(np.float16)


@pytest.fixture
def interiorverse(tmp_path: Path) -> Path:
    """Two images a scene in InteriorVerse's layout, and the published lists of them."""
    lists = tmp_path / "data" / "Marigold" / "data_split" / "interiorverse_iid"
    lists.mkdir(parents=True)
    root = tmp_path / "data" / "InteriorVerse"
    for split, scenes in SCENES.items():
        lines = []
        for scene in scenes:
            for frame in ("000", "001"):
                stem = f"scenes_85/{scene}/{frame}"
                albedo = image(hash_of(stem))
                mask = np.ones_like(albedo)
                mask[:, :64, 1] = 0
                for kind, pixels in (("im", albedo / 2), ("albedo", albedo), ("mask", mask)):
                    write(root / f"{stem}_{kind}.exr", pixels, "exr")
                kinds = ("im", "albedo", "material", "mask")
                lines.append(" ".join(f"{stem}_{kind}.exr" for kind in kinds))
        # The last line of a published list has no line break.
        (lists / f"interiorverse_{split}_scenes_85.txt").write_text("\n".join(lines))
    return tmp_path


def hash_of(text: str) -> int:
    return int.from_bytes(text.encode()[-8:], "big")


@pytest.mark.slow
def test_interiorverse(interiorverse: Path) -> None:
    follow(commands("InteriorVerse"), interiorverse)
    tables = interiorverse / "project" / "data" / "03_primary"
    summary = json.loads((tables / "audit_summary.json").read_text())
    assert {name: n["samples"] for name, n in summary["splits"].items()} == {
        "train": 4,
        "validation": 2,
        "test": 2,
    }
    assert (summary["left_out"], summary["missing_files"], summary["quarantined"]) == (0, 0, 0)
    assert summary["names_without_sample"] == {"train": 0, "validation": 0, "test": 0}
    rule = summary["split_rules"]["test"]
    assert re.fullmatch(
        r"list interiorverse_test_scenes_85\.txt, by sample, digest [0-9a-f]{12}", rule
    )
    manifest = pd.read_parquet(tables / "manifest.parquet").set_index("sample_id")
    assert manifest.loc["scenes_85/L3D4/001_im", ["group", "split"]].tolist() == [
        "scenes_85/L3D4",
        "test",
    ]
    assert (manifest["height"] == HEIGHT).all()
    assert (manifest["width"] == WIDTH).all()
    assert (manifest["exposure"] == 1).all()
    assert (manifest["valid_share"] == 0.9).all()


@pytest.fixture
def hypersim(tmp_path: Path) -> Path:
    """Four scenes in Hypersim's layout, and the table of the official split."""
    rows = []
    root = tmp_path / "data" / "hypersim"
    for number, split in enumerate(("train", "train", "val", "test")):
        scene = f"ai_00{number}_001"
        for frame, is_public in ((3, True), (11, number != 3)):
            folder = root / scene / "images"
            final = folder / "scene_cam_00_final_hdf5" / f"frame.{frame:04d}"
            albedo = image(10 * number + frame)
            write(final.with_name(f"{final.name}.color.hdf5"), albedo * 3, "hdf5")
            write(final.with_name(f"{final.name}.diffuse_reflectance.hdf5"), albedo, "hdf5")
            entities = np.ones((HEIGHT, WIDTH), np.int32)
            name = f"scene_cam_00_geometry_hdf5/frame.{frame:04d}.render_entity_id.hdf5"
            write(folder / name, entities, "hdf5")
            rows.append((scene, "cam_00", frame, is_public, split if is_public else None))
    names = ["scene_name", "camera_name", "frame_id", "included_in_public_release"]
    table = pd.DataFrame(rows, columns=[*names, "split_partition_name"])
    table.to_csv(root / "metadata_images_split_scene_v1.csv", index=False)
    return tmp_path


@pytest.mark.slow
def test_hypersim(hypersim: Path) -> None:
    follow(commands("Hypersim"), hypersim)
    tables = hypersim / "project" / "data" / "03_primary"
    manifest = pd.read_parquet(tables / "manifest.parquet")
    assert dict(zip(manifest["sample_id"], manifest["split"], strict=True)) == {
        "ai_000_001/cam_00/frame.0003": "train",
        "ai_000_001/cam_00/frame.0011": "train",
        "ai_001_001/cam_00/frame.0003": "train",
        "ai_001_001/cam_00/frame.0011": "train",
        "ai_002_001/cam_00/frame.0003": "validation",
        "ai_002_001/cam_00/frame.0011": "validation",
        "ai_003_001/cam_00/frame.0003": "test",
    }
    summary = json.loads((tables / "audit_summary.json").read_text())
    assert (summary["left_out"], summary["quarantined"]) == (1, 0)


@pytest.mark.slow
def test_hypersim_on_marigolds_files(tmp_path: Path) -> None:
    """Files of 640 x 480 pixels; the page stores those of 1024 x 768."""
    folder = tmp_path / "data" / "hypersim_iid"
    published = tmp_path / "data" / "Marigold" / "data_split" / "hypersim_iid"
    lines = {}
    for number, split in enumerate(("train", "val", "test")):
        stem, frame = f"{split}/ai_00{number}_010", "cam_00_fr0000"
        albedo = image(number)
        write(folder / f"{stem}/rgb_{frame}.png", (albedo * 255).astype(np.uint8), "png")
        write(folder / f"{stem}/albedo_{frame}.npy", albedo.astype(np.float64), "npy")
        kinds = ("rgb_{}.png", "albedo_{}.npy", "shading_{}.npy", "residual_{}.npy")
        kinds = (*kinds, "shading_stats_{}.json")
        lines[split] = " ".join(f"{stem}/{kind.format(frame)}" for kind in kinds)
        (folder / f"filename_list_{split}.txt").write_text(lines[split])
    published.mkdir(parents=True)
    (published / "hypersim_test.txt").write_text(lines["test"])
    run = "kedro run --env sd21 --pipelines ingest"
    follow([*commands("On Marigold's files"), run], tmp_path)
    manifest = pd.read_parquet(tmp_path / "project" / "data" / "03_primary" / "manifest.parquet")
    assert dict(zip(manifest["group"], manifest["split"], strict=True)) == {
        "train/ai_000_010": "train",
        "val/ai_001_010": "validation",
        "test/ai_002_010": "test",
    }
    assert manifest[["height", "width"]].to_numpy().tolist() == [[768, 1024]] * 3
    assert set(manifest["beauty_space"]) == {"srgb"}
    assert set(manifest["albedo_space"]) == {"linear"}


def test_the_number_is_printed(tmp_path: Path) -> None:
    score = {"mean": 20.5, "low": 20.0, "high": 21.0, "n": 2, "groups": 1}
    names = ("marigold_psnr_unmasked", "marigold_ssim_unmasked")
    metrics = {
        "protocol": {
            "name": "marigold-iid",
            "fingerprint": "0123456789ab",
            "split_rules": {"test": "list t.txt, by sample, digest ba9876543210"},
        },
        "test": {"n": 2, "model": dict.fromkeys(names, score)},
    }
    reporting = tmp_path / "project" / "data" / "08_reporting"
    reporting.mkdir(parents=True)
    (reporting / "metrics.json").write_text(json.dumps(metrics))
    printed = follow(commands("Quote the number"), tmp_path).splitlines()
    assert printed[:2] == [
        "2 images, test split by list t.txt, by sample, digest ba9876543210",
        "protocol marigold-iid, fingerprint 0123456789ab",
    ]
    assert printed[2] == f"model marigold_psnr_unmasked {score}"
