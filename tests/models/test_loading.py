"""Stored weights into a network of other names, and the report."""

import logging
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file
from torch import nn

from albedo_pipeline.artifacts.models import DenoiserDataset
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.autoencoder import load_pretrained, new_autoencoder
from albedo_pipeline.models.loading import LoadReport, fill
from albedo_pipeline.params import AutoencoderParams, TrainParams
from albedo_pipeline.params.autoencoder import PretrainedAutoencoder
from albedo_pipeline.params.autoencoder_training import AutoencoderTraining
from albedo_pipeline.params.loading import WeightLoading
from albedo_pipeline.training.initial_denoiser import initial_denoiser
from tests.support.training import SETTINGS

FILE = "diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def model() -> AutoencoderKL:
    torch.manual_seed(5)
    return new_autoencoder(AutoencoderTraining(block_out_channels=(8, 16), max_steps=1)).eval()


@pytest.fixture
def folder(model: AutoencoderKL, tmp_path: Path) -> Path:
    model.save_pretrained(tmp_path / "stored")
    return tmp_path / "stored"


def rename(folder: Path, change) -> None:
    """Write the weights of a folder under other names; None leaves one out."""
    named = {change(name): weight for name, weight in load_file(folder / FILE).items()}
    save_file({name: weight for name, weight in named.items() if name}, folder / FILE)


def load(folder: Path, **loading) -> AutoencoderKL:
    source = PretrainedAutoencoder(model=str(folder))
    return load_pretrained(source, WeightLoading.model_validate(loading))


def same(one: AutoencoderKL, two: AutoencoderKL) -> set[str]:
    """Names of the weights that are equal."""
    other = two.state_dict()
    return {name for name, w in one.state_dict().items() if torch.equal(w, other[name])}


def test_the_report_by_hand() -> None:
    network = nn.ModuleDict({name: nn.Linear(2, 2) for name in ("a", "b", "c")})
    stored = {
        "old.weight": torch.ones(2, 2),
        "old.bias": torch.full((2,), 3.0),
        "b.weight": torch.ones(3, 2),
        "rest": torch.ones(1),
    }
    loading = WeightLoading(map={"a.": "old.", "": ""}, ignore=("^c",))
    report = fill(network, stored, loading, "it", "there")
    assert report == LoadReport(
        loaded=("a.weight", "a.bias"),
        ignored=("c.weight", "c.bias"),
        missing=("b.bias",),
        other_shape=("b.weight: [3, 2] there, [2, 2] here",),
        unused=("rest",),
    )
    assert network["a"].bias.tolist() == [3, 3]
    assert report.summary() == (
        "2 weights loaded, 2 ignored (c.weight, c.bias), 1 missing (b.bias), 1 of another shape "
        "(b.weight: [3, 2] there, [2, 2] here), 1 stored but not in the network (rest)"
    )


def test_names_are_mapped(model, folder, caplog: pytest.LogCaptureFixture) -> None:
    rename(folder, lambda name: "vae." + name.replace("decoder.", "generator."))
    with caplog.at_level(logging.INFO, "albedo_pipeline"):
        loaded = load(folder, map={"": "vae.", "decoder.": "vae.generator."})
    assert same(loaded, model) == set(model.state_dict())
    assert f"{len(model.state_dict())} weights loaded" in caplog.text


def test_ignored_weights_are_random_and_the_others_loaded(model, folder) -> None:
    rename(folder, lambda name: None if name == "decoder.conv_out.weight" else name)
    torch.manual_seed(1)
    one = load(folder, ignore=["^decoder.conv_(in|out)"])
    torch.manual_seed(1)
    two = load(folder, ignore=["^decoder.conv_(in|out)"])
    names = {n for n in model.state_dict() if n.startswith(("decoder.conv_in", "decoder.conv_out"))}
    assert set(model.state_dict()) - same(one, model) == names
    assert same(one, two) == set(model.state_dict())


def test_a_weight_of_another_shape_can_be_ignored(model, folder) -> None:
    weights = load_file(folder / FILE)
    weights["encoder.conv_in.weight"] = torch.zeros(8, 4, 3, 3)
    save_file(weights, folder / FILE)
    message = r"encoder.conv_in.weight: \[8, 4, 3, 3\] there, \[8, 3, 3, 3\] here"
    with pytest.raises(ProjectError, match=message):
        load(folder, map={"": ""})
    loaded = load(folder, ignore=["encoder.conv_in.weight"])
    assert set(model.state_dict()) - same(loaded, model) == {"encoder.conv_in.weight"}


def test_weights_that_are_missing_are_named_also_by_default(folder) -> None:
    rename(folder, lambda name: None if name.startswith("decoder.conv_out") else name)
    message = r"2 missing \(decoder.conv_out.*autoencoder\.loading\.map.*loading\.ignore"
    for loading in ({}, {"map": {"encoder.": "encoder."}}):
        with pytest.raises(ProjectError, match=message):
            load(folder, **loading)


def test_a_model_of_which_nothing_fits_is_refused(folder) -> None:
    rename(folder, lambda name: f"vae.{name}")
    for loading in ({}, {"map": {"": "model."}}):
        with pytest.raises(
            ProjectError, match=r"no weight fits .*\(vae\..*autoencoder.loading.map"
        ):
            load(folder, **loading)


@pytest.mark.parametrize("key", ["map", "ignore"])
def test_an_entry_that_fits_no_name_is_named(folder, key: str) -> None:
    value = {"map": {"decodr.": "decoder."}, "ignore": ["decodr"]}[key]
    with pytest.raises(ProjectError, match=rf"autoencoder\.loading\.{key}: .*decodr"):
        load(folder, **{key: value})


@pytest.mark.parametrize("loading", [{}, {"map": {"": ""}}])
def test_a_damaged_file_is_one_error(folder, loading: dict) -> None:
    with (folder / FILE).open("r+b") as file:
        file.truncate(100)
    with pytest.raises(ProjectError, match=r"^autoencoder"):
        load(folder, **loading)


def test_the_attention_of_older_models_is_read(tmp_path: Path) -> None:
    torch.manual_seed(2)
    sizes = {"block_out_channels": (8,), "layers_per_block": 1, "norm_num_groups": 8}
    attentive = AutoencoderKL(**sizes).eval()
    attentive.save_pretrained(tmp_path)
    parts = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

    def older(name: str) -> str:
        for new, old in parts.items():
            name = name.replace(f".{new}.", f".{old}.")
        return name

    rename(tmp_path, older)
    assert any(".proj_attn." in name for name in load_file(tmp_path / FILE))
    for loading in ({}, {"map": {"": ""}}):
        assert same(load(tmp_path, **loading), attentive) == set(attentive.state_dict())


def test_a_model_in_several_files_is_read(model, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path, max_shard_size="50KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    assert same(load(tmp_path, map={"": ""}), model) == set(model.state_dict())


def test_settings_without_a_model_to_load_are_refused() -> None:
    with pytest.raises(ValueError, match="loading needs source 'pretrained' or 'finetune'"):
        AutoencoderParams.model_validate({"loading": {"ignore": ["^decoder"]}})
    with pytest.raises(ValueError, match="source 'pretrained' does not train them"):
        AutoencoderParams.model_validate(
            {"source": "pretrained", "pretrained": {"model": "m"}, "loading": {"ignore": ["x"]}}
        )
    with pytest.raises(ValueError, match="loading needs source 'pretrained' or start_from"):
        TrainParams.model_validate(SETTINGS | {"loading": {"ignore": ["x"]}})


def test_loading_decides_the_result_of_a_pretrained_training_only() -> None:
    pretrained = {"source": "pretrained", "pretrained": {"model": "m"}}
    loading = {"loading": {"ignore": ["conv_out"]}}

    def keys(changes: dict) -> set[str]:
        kept = TrainParams.model_validate(SETTINGS | changes).result_settings(9)
        return {key for key in kept if key.startswith("loading")}

    assert keys(pretrained) == set()
    assert keys({"start_from": "bundled"} | loading) == set()
    assert "loading.ignore" in keys(pretrained | loading)


def test_an_earlier_denoiser_is_loaded_in_part(tmp_path: Path) -> None:
    first = initial_denoiser(TrainParams.model_validate(SETTINGS), 4)
    DenoiserDataset(filepath=str(tmp_path)).save(first)
    blocks = {"up_blocks.0.resnets.1.": "up_blocks.0.resnets.0."}  # of the same shapes, but for two
    shortcut = r"^up_blocks\.0\.resnets\.1\.(conv1|norm1|conv_shortcut)"
    loading = {"map": blocks, "ignore": [r"^conv_out\.weight", shortcut]}
    start = {"start_from": str(tmp_path), "loading": loading, "seed": 9}
    second = initial_denoiser(TrainParams.model_validate(SETTINGS | start), 4).unet.state_dict()
    before = first.unet.state_dict()
    moved = "up_blocks.0.resnets.1.conv2.weight"
    assert torch.equal(second[moved], before[moved.replace("resnets.1", "resnets.0")])
    assert not torch.equal(second["conv_out.weight"], before["conv_out.weight"])
    assert torch.equal(second["conv_in.weight"], before["conv_in.weight"])
    renamed = {"start_from": str(tmp_path), "loading": {"map": {"conv_in.": "conv_inn."}}}
    with pytest.raises(ProjectError, match=r"train\.start_from .*2 missing \(conv_in"):
        initial_denoiser(TrainParams.model_validate(SETTINGS | renamed), 4)
