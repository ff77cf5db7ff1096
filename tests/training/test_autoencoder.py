"""The training of the autoencoder: it learns, resumes, and scales the latents."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from diffusers import AutoencoderKL
from PIL import Image
from safetensors.torch import load_file

from albedo_pipeline.artifacts.checkpoints import Checkpoints, read_json
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.evaluation.round_trip import round_trip_report
from albedo_pipeline.imaging.colormap import absolute_error, error_picture
from albedo_pipeline.imaging.pixels import to_tensor
from albedo_pipeline.metrics.image.lpips import LPIPS
from albedo_pipeline.models.autoencoder import new_autoencoder, round_trip
from albedo_pipeline.params import AutoencoderParams
from albedo_pipeline.params.autoencoder_training import AutoencoderTraining
from albedo_pipeline.pipelines.autoencoder.nodes import check_autoencoder
from albedo_pipeline.provenance.weights import encoder_digest
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.training.autoencoder import latent_deviation
from albedo_pipeline.training.round_trip_validation import round_trip_strips
from tests.support.autoencoder_training import (
    ADVERSARY,
    WASSERSTEIN,
    manifest,
    save_pairs,
    settings,
    train,
    train_in_process,
)
from tests.support.training import same

CPU = torch.device("cpu")
ROWS = manifest()["row"].to_numpy()[:6]
LONG = {
    "max_steps": 6,
    "checkpoints": {"every": 2, "keep_last": 9},
    "validation": {"every": 3},
    "visualisation": {"every": 3, "samples": 2},
}


@pytest.fixture
def pairs(tmp_path: Path) -> PairShards:
    """Eight samples of 16 x 16 pixels."""
    return save_pairs(tmp_path / "pairs")


@pytest.fixture
def trained(pairs, tmp_path: Path) -> Callable[..., AutoencoderKL]:
    """Trains with changed settings, and checkpoints in a folder of the given name."""
    return lambda name, source="train", **changes: train(
        pairs, tmp_path / name, settings(source, **changes)
    )


def log_of(folder: Path, step: int) -> pd.DataFrame:
    """The log in a checkpoint."""
    return pd.read_parquet(Checkpoints(folder).path(step) / "log.parquet").set_index("step")


def test_an_untrained_autoencoder_is_nearly_deterministic_and_linear() -> None:
    torch.manual_seed(0)
    autoencoder = new_autoencoder(AutoencoderTraining(block_out_channels=(8, 16), max_steps=1))
    posterior = autoencoder.encode(torch.rand(1, 3, 16, 16) * 2 - 1).latent_dist
    assert posterior.std.max() < 0.2
    branches = [p for n, p in autoencoder.named_parameters() if ".conv2." in n]
    assert branches
    assert all(not p.any() for p in branches)


def test_it_learns(pairs, trained) -> None:
    scores = []
    for steps in (1, 150):
        autoencoder = trained(
            str(steps), max_steps=steps, learning_rate={"warmup_steps": 5}, log_every=50
        )
        report = round_trip_report(autoencoder, pairs, ROWS, AutoencoderParams(device="cpu"))
        scores.append(report["validation_albedo_psnr"])
    assert scores[1] > scores[0] + 6


def test_scaled_latents_have_a_mean_square_of_one(pairs, trained) -> None:
    autoencoder = trained("run", crop=8)
    deviation = latent_deviation(autoencoder, pairs, ROWS, CPU)
    assert deviation * autoencoder.config.scaling_factor == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("adversary", [{}, ADVERSARY, WASSERSTEIN])
def test_a_resumed_training_is_bit_identical(trained, tmp_path: Path, adversary: dict) -> None:
    """Weights, average, discriminators, optimisers, counters, and the result."""
    changes = LONG | adversary | {"learning_rate": {"warmup_steps": 1, "decay_steps": 6}}
    whole = trained("whole", **changes)
    trained("cut", **changes | {"max_steps": 3})
    cut = trained("cut", **changes)
    folders = [Checkpoints(tmp_path / name).path(6) for name in ("whole", "cut")]
    assert same(*folders)
    stored = load_file(folders[0] / "weights.safetensors")
    assert any(name.startswith("discriminator.") for name in stored) == bool(adversary)
    one, two = (a.state_dict() for a in (whole, cut))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert whole.config.scaling_factor == cut.config.scaling_factor


def test_a_finished_training_is_not_repeated(trained, tmp_path: Path) -> None:
    one = trained("run").state_dict()
    stored = Checkpoints(tmp_path / "run").path(4) / "weights.safetensors"
    written = stored.stat().st_mtime_ns
    two = trained("run").state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert stored.stat().st_mtime_ns == written


def test_settings_that_change_the_result_are_named(trained) -> None:
    trained("run")
    message = r"autoencoder\.training\.loss\.l1_weight: 0.0 there, 1.0 here.*training\.on_mismatch"
    with pytest.raises(ProjectError, match=message):
        trained("run", loss={"l1_weight": 1.0})
    trained("run", loss={"l1_weight": 1.0}, on_mismatch="restart")


def test_errors_name_the_optimiser_whose_setting_is_wrong(trained) -> None:
    wrong = {"optimiser": {"name": "sgd", "options": {"lr": 0.1}}}
    with pytest.raises(ProjectError, match=r"^autoencoder\.training\.optimiser.*takes no 'lr'"):
        trained("run", **wrong)
    path = r"^autoencoder\.training\.adversary\.optimiser.*takes no 'lr'"
    with pytest.raises(ProjectError, match=path):
        trained("run", adversary=ADVERSARY["adversary"] | wrong)


def test_validations_score_beauty_and_albedo_and_keep_the_best(trained, tmp_path: Path) -> None:
    done = trained("run", output="best", **LONG)
    log = log_of(tmp_path / "run", 6)
    names = {f"validation_{k}_{m}" for k in ("beauty", "albedo") for m in ("psnr", "ssim")}
    assert names | {f"{name}_raw" for name in names} <= set(log)
    psnr = log["validation_albedo_psnr"].dropna()
    assert psnr.index.tolist() == [3, 6]
    state = read_json(Checkpoints(tmp_path / "run").path(6), "state.json")["training"]
    assert state["best"] == [[int(psnr.idxmax()), psnr.max()]]
    best = load_file(Checkpoints(tmp_path / "run").path(int(psnr.idxmax())) / "ema.safetensors")
    assert all(torch.equal(done.state_dict()[name], best[name]) for name in best)
    pictures = sorted(path.name for path in (tmp_path / "run" / "samples").glob("*.png"))
    assert pictures == ["step-00000003.png", "step-00000006.png"]
    with Image.open(tmp_path / "run" / "samples" / "course.gif") as course:
        assert course.n_frames == 2
        # Two samples of 16 x 16 in 2 x 3 columns, 8 times enlarged, with 4 pixels around them; a
        # caption and the headings have 18 pixels each, the colour bars 6.
        assert course.size == (2 * (4 + 3 * 132), 18 + 18 + 6 + 4 + 2 * 132)


def test_lpips_is_a_term_of_the_loss_and_a_score(tmp_path: Path, lpips_file: Path) -> None:
    pairs = save_pairs(tmp_path / "pairs", side=32)
    lpips = {"lpips_weights": str(lpips_file), "loss": {"lpips_weight": 0.5}, "crop": 32}
    changes = {"max_steps": 2, "validation": {"every": 1, "metric": "albedo_lpips"}}
    done = train(pairs, tmp_path / "run", settings(**changes, **lpips))
    log = log_of(tmp_path / "run", 2)
    scores = log["validation_albedo_lpips"]
    assert {"validation_beauty_lpips", "validation_albedo_lpips_raw", "loss_lpips"} <= set(log)
    terms = log["loss_mse"] + 0.5 * log["loss_lpips"] + 1e-7 * log["loss_kl"]
    assert log["loss"].tolist() == pytest.approx(terms.tolist(), rel=1e-5)
    state = read_json(Checkpoints(tmp_path / "run").path(2), "state.json")["training"]
    assert state["best"] == [[int(scores.idxmin()), scores.min()]]  # lower is better
    metric, images = LPIPS.with_weights(lpips_file), to_tensor(pairs.batch("albedo", [6, 7]))
    valid = torch.ones(2, 1, 32, 32, dtype=torch.bool)
    shown = (round_trip(done, images, CPU, "fp32") + 1) / 2
    expected = metric.function(shown, (images + 1) / 2, valid).mean().item()
    assert scores[2] == pytest.approx(expected, rel=1e-5)


def test_settings_of_lpips_that_do_not_fit_are_named(trained, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="need lpips_weights"):
        settings(loss={"lpips_weight": 1.0})
    with pytest.raises(ProjectError, match=r"LPIPS needs crops of 31 pixels, but they have 16"):
        trained("run", lpips_weights="nowhere", loss={"lpips_weight": 1.0})
    large = save_pairs(tmp_path / "large", side=32)
    with pytest.raises(ProjectError, match=r"training\.lpips_weights: .*nowhere: no such file"):
        train(large, tmp_path / "run", settings(lpips_weights="nowhere"))


def test_checkpoints_of_before_a_setting_existed_are_resumed() -> None:
    """Their result settings lack what has its default."""
    training = settings(**ADVERSARY).training
    assert training is not None
    keys = training.result_settings(4)
    assert "adversary.gradient_penalty.weight" in keys
    newer = ("lpips_weights", "loss.lpips_weight", "adversary.gradient_penalty.kind")
    assert not keys.keys() & set(newer)


def test_strips_show_images_and_errors_enlarged_and_masked_pixels_hatched(
    tmp_path: Path, trained
) -> None:
    autoencoder, pairs = trained("bundled", "bundled"), save_pairs(tmp_path / "more", masked=True)
    strips = round_trip_strips(autoencoder, pairs, manifest().iloc[6:], CPU, "fp32")
    # The cells of the second sample: each begins 4 pixels after the one before, which has 128.
    top = 18 + 6 + 4 + 132
    cells = [strips[top : top + 128, left : left + 128] for left in range(4, 4 + 3 * 132, 132)]
    beauty, decoded, error = (cell[::8, ::8] for cell in cells)
    for cell, small in zip(cells, (beauty, decoded, error), strict=True):
        assert np.array_equal(cell, small.repeat(8, 0).repeat(8, 1))
    image = to_tensor(pairs.batch("beauty", [7]))
    for shown, expected in (
        (beauty, image),
        (decoded, round_trip(autoencoder, image, CPU, "fp32")),
    ):
        values = ((expected[0] + 1) / 2 * 255).round().permute(1, 2, 0).numpy()
        assert np.array_equal(shown, values.astype(np.uint8))
    valid = pairs.batch("valid", [7])[0, 0] == 1
    assert not valid.all()
    assert np.array_equal(error, error_picture(absolute_error(decoded, beauty), valid))


def test_the_validation_scores_are_those_of_the_report(pairs, trained, tmp_path: Path) -> None:
    """The last EMA weights, on the same samples."""
    done = trained("run", validation={"every": 4})
    report = round_trip_report(done, pairs, [6, 7], settings())
    logged = log_of(tmp_path / "run", 4)
    for kind in ("beauty", "albedo"):
        score = logged[f"validation_{kind}_psnr"].iloc[-1]
        assert score == pytest.approx(report[f"validation_{kind}_psnr"], rel=1e-5)


def test_the_report_has_the_course_of_a_training(pairs, trained, tmp_path: Path) -> None:
    done, store = trained("run", validation={"every": 2}), Checkpoints(tmp_path / "run")
    course = check_autoencoder(done, pairs, manifest(), settings(), store)["course"]
    log = log_of(tmp_path / "run", 4)
    assert [row["step"] for row in course] == [1, 2, 3, 4]
    assert [row["loss"] for row in course] == log["loss"].tolist()
    scores = [row.get("validation_albedo_ssim_raw") for row in course]
    assert scores == [None, log["validation_albedo_ssim_raw"][2], None, *scores[3:]]
    bundled = AutoencoderParams(device="cpu")
    assert "course" not in check_autoencoder(done, pairs, manifest(), bundled, store)


def test_a_finetuned_decoder_leaves_the_encoder_as_it_is(trained) -> None:
    bundled = trained("bundled", "bundled")
    tuned = trained("tuned", "finetune", train="decoder", albedo_share=1)
    assert encoder_digest(tuned) == encoder_digest(bundled)
    before, after = bundled.state_dict(), tuned.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith(("decoder.", "post_quant_conv.")) for name in changed)


def test_a_finetuned_encoder_leaves_the_decoder_as_it_is(trained) -> None:
    bundled = trained("bundled", "bundled")
    tuned = trained("tuned", "finetune", train="encoder")
    before, after = bundled.state_dict(), tuned.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith(("encoder.", "quant_conv.")) for name in changed)


def test_the_autoencoder_comes_from_the_configured_source(pairs, tmp_path: Path) -> None:
    torch.manual_seed(3)
    local = new_autoencoder(AutoencoderTraining(block_out_channels=(8, 16), max_steps=1))
    local.save_pretrained(tmp_path / "local" / "vae")
    pretrained = {"model": str(tmp_path / "local"), "subfolder": "vae"}
    params = AutoencoderParams(source="pretrained", pretrained=pretrained)
    loaded = train(pairs, tmp_path / "unused", params)
    image = to_tensor(pairs.batch("albedo", [0]))
    with torch.no_grad():
        assert torch.equal(loaded(image).sample, local.eval()(image).sample)
    bundled = train(pairs, tmp_path / "unused", AutoencoderParams(source="bundled"))
    assert bundled.config.latent_channels == 4


@pytest.mark.parametrize("crop", [9, 32])
def test_a_crop_that_does_not_fit_is_named(trained, crop: int) -> None:
    with pytest.raises(ProjectError, match=f"autoencoder.training.crop: {crop} must be a multiple"):
        trained("run", crop=crop)


def test_a_crop_that_the_discriminators_cannot_judge_is_named(trained) -> None:
    with pytest.raises(ProjectError, match=r"adversary: .*need crops of 24 pixels.*have 16"):
        trained("run", adversary={"scales": 2, "layers": 2})


def test_images_that_do_not_fit_the_latent_cells_are_named(pairs) -> None:
    torch.manual_seed(0)
    coarse = new_autoencoder(AutoencoderTraining(block_out_channels=(8,) * 6, max_steps=1))
    message = "images of 16 x 16 pixels cannot be encoded: the autoencoder needs multiples of 32"
    with pytest.raises(ProjectError, match=message):
        round_trip_report(coarse, pairs, ROWS, AutoencoderParams(device="cpu"))


def test_a_training_that_diverged_is_refused(trained) -> None:
    rate = {"peak": 1e30, "warmup_steps": 0}
    message = r"^autoencoder: the loss or gradient .* lower autoencoder\.training\.learning_rate"
    with pytest.raises(ProjectError, match=message):
        trained("run", learning_rate=rate)


def test_a_round_trip_that_is_not_finite_is_refused(pairs) -> None:
    torch.manual_seed(0)
    autoencoder = new_autoencoder(AutoencoderTraining(block_out_channels=(8, 16), max_steps=1))
    torch.nn.init.constant_(autoencoder.decoder.conv_out.bias, torch.nan)
    with pytest.raises(ProjectError, match="autoencoder: gives images that are not finite"):
        round_trip_report(autoencoder, pairs, ROWS, AutoencoderParams(device="cpu"))


SPLIT = {
    "max_steps": 6,
    "effective_batch_size": 8,
    "validation": {"every": 6},
    "checkpoints": {"every": 6},
}


def weights(folder: Path) -> torch.Tensor:
    """All trained weights after the last step, discriminators included, as one vector.

    Without the biases of convolutions: here each channel is a group of the norm that follows, so
    the gradient of such a bias is rounding alone, which Adam enlarges.
    """
    tensors = load_file(Checkpoints(folder).path(6) / "weights.safetensors")
    names = [name for name in sorted(tensors) if not name.endswith(("conv.bias", "conv1.bias"))]
    names = [name for name in names if not name.endswith(("conv2.bias", "conv_shortcut.bias"))]
    return torch.cat([tensors[name].flatten() for name in names]).double()


@pytest.mark.slow
@pytest.mark.parametrize("adversary", [ADVERSARY, WASSERSTEIN])
def test_the_split_changes_neither_losses_nor_weights(
    pairs, trained, tmp_path: Path, adversary: dict
) -> None:
    """With the adversary, its adaptive weight and its penalty: (8,1,1), (4,2,1), (2,2,2)."""
    changes = SPLIT | adversary
    trained("whole", **changes)
    trained("halves", micro_batch_size=4, **changes)
    launcher = train_in_process(tmp_path, "two", changes | {"micro_batch_size": 2}, processes=2)
    output, _ = launcher.communicate(timeout=240)
    assert launcher.returncode == 0, output
    whole, losses = weights(tmp_path / "whole"), log_of(tmp_path / "whole", 6)
    parts = ["loss", "loss_mse", "loss_adversarial", "loss_discriminator", "adaptive_weight"]
    for name in ("halves", "two"):
        split = log_of(tmp_path / name, 6)
        for part in (*parts, "loss_gradient_penalty", "validation_albedo_psnr"):
            expected = losses[part].to_numpy()
            assert split[part].to_numpy() == pytest.approx(expected, rel=1e-4, nan_ok=True), part
        distance = float((whole - weights(tmp_path / name)).norm() / whole.norm())
        assert distance < 1e-5, name
