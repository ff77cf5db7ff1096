"""The camera move: which scene it shows, what is measured of it, and the frames themselves."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.io import DatasetError
from PIL import Image
from safetensors.torch import save_file

from albedo_pipeline.artifacts.camera_move import (
    CameraMoveDataset,
    MoveResultDataset,
    RenderedMove,
)
from albedo_pipeline.artifacts.checkpoints import AVERAGES_FILE, CONFIGURATION, Checkpoints
from albedo_pipeline.evaluation.camera_move import measured, predicted_move, scene_of_move
from albedo_pipeline.models.albedo_model import load_albedo_model
from albedo_pipeline.params import (
    EvaluateParams,
    IngestParams,
    PredictParams,
    SequenceParams,
    SynthesizeParams,
)
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.pipelines.sequence.nodes import predict_camera_move, render_camera_move
from albedo_pipeline.reporting.sections.camera_move import move_section

FRAMES = 3
PARAMS = SequenceParams()


def manifest(*groups: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(groups, columns=["group", "split"])


def test_the_scene_is_the_first_rendered_one_of_the_test_split() -> None:
    rows = manifest(
        ("seed-7/scene-00001", "train"),
        ("seed-7/scene-00009", "test"),
        ("seed-7/scene-00004", "test"),
        ("seed-8/scene-00002", "test"),
    )
    assert scene_of_move(rows, 7) == 4
    assert scene_of_move(rows, 9) is None
    assert scene_of_move(manifest(("kitchen", "test")), 7) is None


def test_error_and_flicker_are_those_of_the_valid_pixels() -> None:
    truth = [np.full((2, 2, 3), 0.5) for _ in range(2)]
    for image in truth:
        image[0, 0] = np.nan
    albedo = [np.full((2, 2, 3), 0.6), np.full((2, 2, 3), 0.4)]
    scores = measured(albedo, truth)
    assert scores["psnr"] == pytest.approx(20)  # an error of 0.1
    assert scores["flicker"] == pytest.approx(0.2)
    assert scores["still_share"] == 0.75


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(0)
    images = random.uniform(0.1, 0.9, (FRAMES, 2, 16, 16, 3)).astype(np.float32)
    images[:, 1] = images[0, 1]  # the same truth in all frames
    valid = np.ones((FRAMES, 16, 16), dtype=bool)
    valid[:, 0] = False
    folder = tmp_path_factory.mktemp("move") / "camera_move"
    frames = ((*pair, mask) for pair, mask in zip(images, valid, strict=True))
    CameraMoveDataset(filepath=str(folder)).save(RenderedMove("scene", 12, frames))
    return folder


def test_the_frames_are_stored_as_numbered_files(folder: Path) -> None:
    names = [f"frame.{number:04d}.exr" for number in (1, 2, 3)]
    assert sorted(path.name for path in (folder / "beauty").iterdir()) == names
    move = CameraMoveDataset(filepath=str(folder)).load()
    assert move is not None
    assert [albedo.shape for albedo in move.albedo] == [(16, 16, 3)] * FRAMES
    assert move.valid.sum() == FRAMES * 15 * 16


def test_the_move_is_predicted_stored_and_shown_for_its_model_only(
    folder: Path, tmp_path: Path
) -> None:
    model = load_albedo_model(PretrainedModel(model="bundled"))
    move = CameraMoveDataset(filepath=str(folder)).load()
    assert move is not None
    results = MoveResultDataset(filepath=str(tmp_path / "result"))
    results.save(predicted_move(move, model, PredictParams(steps=1)))
    result = results.load()
    assert result is not None
    assert result.facts["frames"] == FRAMES
    assert result.facts["made_from"] == model.digests()
    video = Image.open(io.BytesIO(result.video))
    assert (video.n_frames, video.size) == (FRAMES, (8 * (3 * 16 + 4), 8 * 16))
    section = move_section(result, {"lineage": model.digests() | {"pairs": "0"}})
    assert section is not None
    assert [name for name, *_ in section.rows] == ["as a sequence", "each frame alone"]
    assert section.rows[0][1] == f"{result.facts['sequence']['psnr']:.2f} dB"
    assert section.rows[0][2] == f"{result.facts['sequence']['flicker']:.4f}"
    assert section.still_share == "93.8 %"  # 15 of 16 rows
    assert section.size == video.size
    assert move_section(result, {"lineage": model.digests() | {"denoiser": "0"}}) is None


def test_the_move_is_predicted_by_the_checkpoint_that_is_evaluated(
    folder: Path, tmp_path: Path
) -> None:
    move = CameraMoveDataset(filepath=str(folder)).load()
    model = load_albedo_model(PretrainedModel(model="bundled"))
    name, weight = next(iter(model.denoiser.unet.named_parameters()))
    averages = {name: weight.detach() + 0.1}

    def fill(checkpoint: Path) -> None:
        save_file(averages, checkpoint / AVERAGES_FILE)
        (checkpoint / CONFIGURATION).write_text('{"result_settings": {}}', encoding="utf-8")

    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.write(3, fill)

    before = model.digests()
    models, evaluate = (model.denoiser, model.autoencoder), EvaluateParams(steps=1, checkpoint=3)
    result = predict_camera_move(move, *models, checkpoints, evaluate, IngestParams(resolution=16))
    assert result.facts["made_from"] == model.digests() != before
    assert torch.equal(weight, averages[name])


def test_without_a_rendered_test_scene_there_is_no_move_and_no_result(tmp_path: Path) -> None:
    rows = manifest(("kitchen", "test"))
    rendered = render_camera_move(rows, SynthesizeParams(scenes=1, views=1, resolution=16), PARAMS)
    frames = CameraMoveDataset(filepath=str(tmp_path / "frames"))
    frames.save(rendered)
    move = frames.load()
    assert move is None
    results = MoveResultDataset(filepath=str(tmp_path / "result"))
    assert results.load() is None
    results.save(
        predict_camera_move(move, None, None, None, EvaluateParams(), IngestParams(resolution=16))
    )
    assert results.load() is None
    assert [path.name for path in (tmp_path / "result").iterdir()] == ["move.json"]


def test_a_damaged_folder_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "move.json").write_text("{")
    for dataset in (CameraMoveDataset, MoveResultDataset):
        with pytest.raises(DatasetError, match=f"{tmp_path}: damaged .* run the pipeline sequence"):
            dataset(filepath=str(tmp_path)).load()
