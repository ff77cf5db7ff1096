"""`plan` as a user runs it: from settings alone."""

import json
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from tests.support.project import error_of, run_in_process

RESULT = Path("data/test/08_reporting/training_plan.json")


@pytest.mark.slow
def test_a_plan_needs_no_data(project: Path) -> None:
    result = run_in_process(project, "--pipelines", "plan")
    assert result.exit_code == 0, result.exception
    plan = json.loads((project / RESULT).read_text(encoding="utf-8"))
    assert plan["latent_shape"] == [4, 16, 16]
    assert [list(step["peak_gib"]) for step in plan["steps"]] == [["1", "2", "4"]] * 2
    assert plan["trained_parameters"] == plan["parameters"]
    assert plan["cards"]["RTX 3090"]["micro_batch_size"] == 4


@pytest.mark.slow
def test_a_pretrained_model_needs_its_configuration_only(project: Path) -> None:
    with torch.device("meta"):
        unet = UNet2DConditionModel(
            in_channels=4,
            out_channels=4,
            down_block_types=("DownBlock2D",),
            up_block_types=("UpBlock2D",),
            block_out_channels=(8,),
            norm_num_groups=8,
            cross_attention_dim=8,
        )
        unet.save_config(project / "model/unet")
        AutoencoderKL(block_out_channels=(8,), norm_num_groups=8).save_config(project / "model/vae")
    settings = (
        "train.source=pretrained,train.pretrained.model=model,autoencoder.source=pretrained,"
        "autoencoder.pretrained.model=model,autoencoder.pretrained.subfolder=vae"
    )
    result = run_in_process(project, "--pipelines", "plan", "--params", settings)
    assert result.exit_code == 0, result.exception
    plan = json.loads((project / RESULT).read_text(encoding="utf-8"))
    widened = 4 * 9 * 8  # weights of the second latent
    assert plan["parameters"] == sum(p.numel() for p in unet.parameters()) + widened
    assert plan["latent_shape"] == [4, 32, 32]


def test_a_missing_configuration_is_named(project: Path) -> None:
    settings = "train.start_from=missing"
    message = error_of(project, "--pipelines", "plan", "--params", settings)
    assert message.startswith("Error: train.start_from missing: no model here")
