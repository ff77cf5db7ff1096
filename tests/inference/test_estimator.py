"""The estimator gives what diffusers' own pipeline gives with the same weights and noise."""

from pathlib import Path

import pytest
import torch
from diffusers import MarigoldIntrinsicsPipeline

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.models.albedo_model import load_albedo_model
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.params.sampling import Sampling
from tests.support.marigold import save_marigold

CPU = torch.device("cpu")
TWO = {
    "target_names": ["material", "albedo"],
    "material": {"prediction_space": "stack", "sub_target_names": ["roughness", None, None]},
    "roughness": {"prediction_space": "linear"},
    "albedo": {"prediction_space": "linear"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save_marigold(tmp_path_factory.mktemp("marigold"))


@pytest.fixture(scope="module")
def two_targets(tmp_path_factory) -> Path:
    return save_marigold(tmp_path_factory.mktemp("two"), TWO)


def opened(folder: Path) -> MarigoldIntrinsicsPipeline:
    pipeline = MarigoldIntrinsicsPipeline.from_pretrained(folder, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def estimator(folder: Path, precision: str = "fp32", **sampling) -> Estimator:
    model = load_albedo_model(PretrainedModel(model=str(folder)))
    return Estimator.owning(model, CPU, Sampling(**sampling), precision)


def inputs(height: int, width: int, count: int, members: int, channels: int = 4):
    torch.manual_seed(5)
    images = torch.rand(count, 3, height, width) * 2 - 1
    noise = torch.randn(count, members, channels, -(-height // 2), -(-width // 2))
    return images, noise


@pytest.mark.parametrize("steps", [1, 3, 4, 7])
@pytest.mark.parametrize("size", [(16, 24), (15, 21)])
def test_predictions_equal_those_of_the_pipeline(
    folder: Path, steps: int, size: tuple[int, int]
) -> None:
    images, noise = inputs(*size, count=2, members=1)
    ours = estimator(folder, steps=steps, batch_size=2).predict(images, noise).albedo
    theirs = opened(folder)(
        (images + 1) / 2,
        num_inference_steps=steps,
        processing_resolution=0,
        batch_size=2,
        latents=noise.flatten(0, 1),
        output_type="pt",
    ).prediction
    assert ours.shape == images.shape
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("reduction", ["mean", "median"])
@pytest.mark.parametrize("members", [4, 5])
def test_ensembles_and_uncertainty_equal_those_of_the_pipeline(
    folder: Path, reduction: str, members: int
) -> None:
    images, noise = inputs(13, 16, count=2, members=members)
    sampling = {"steps": 2, "reduction": reduction, "batch_size": 3}
    ours = estimator(folder, **sampling).predict(images, noise)
    theirs = opened(folder)(
        (images + 1) / 2,
        num_inference_steps=2,
        ensemble_size=members,
        processing_resolution=0,
        latents=noise.flatten(0, 1),
        ensembling_kwargs={"reduction": reduction},
        output_uncertainty=True,
        output_type="pt",
    )
    torch.testing.assert_close(ours.albedo, theirs.prediction, atol=1e-5, rtol=0)
    torch.testing.assert_close(ours.uncertainty, theirs.uncertainty, atol=1e-5, rtol=0)


def test_of_several_targets_the_albedo_is_taken(two_targets: Path) -> None:
    images, noise = inputs(16, 16, count=1, members=1, channels=8)
    model = load_albedo_model(PretrainedModel(model=str(two_targets)))
    assert (model.targets, model.albedo, model.space) == (2, 1, "linear")
    ours = Estimator.owning(model, CPU, Sampling(steps=2)).predict(images, noise).albedo
    theirs = opened(two_targets)(
        (images + 1) / 2,
        num_inference_steps=2,
        processing_resolution=0,
        latents=noise.flatten(0, 1),
        output_type="pt",
    ).prediction
    torch.testing.assert_close(ours, theirs[1:], atol=1e-5, rtol=0)


def test_the_result_does_not_depend_on_the_batches(folder: Path) -> None:
    images, noise = inputs(16, 16, count=3, members=3)
    one, four = (
        estimator(folder, steps=2, batch_size=size).predict(images, noise) for size in (1, 4)
    )
    torch.testing.assert_close(one.albedo, four.albedo, atol=1e-5, rtol=0)
    torch.testing.assert_close(one.uncertainty, four.uncertainty, atol=1e-5, rtol=0)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_gives_nearly_the_same(folder: Path, precision: str) -> None:
    images, noise = inputs(16, 16, count=1, members=1)
    full, half = (
        estimator(folder, steps=2, precision=used).predict(images, noise).albedo
        for used in ("fp32", precision)
    )
    assert half.dtype == torch.float32
    assert 0 < (full - half).abs().mean() < 0.02


def test_more_steps_than_timesteps_are_refused(folder: Path) -> None:
    with pytest.raises(ProjectError, match=r"steps .*: 1001 is more than the denoiser's 1000"):
        estimator(folder, steps=1001)


def test_the_noise_has_the_shape_of_the_latent(folder: Path) -> None:
    assert estimator(folder, steps=1).latent_shape(15, 21) == (4, 8, 11)


def test_a_borrowed_model_is_unchanged_and_predicts_the_same(folder: Path) -> None:
    model = load_albedo_model(PretrainedModel(model=str(folder)))
    before = {name: weight.clone() for name, weight in model.denoiser.unet.state_dict().items()}
    images, noise = inputs(16, 24, count=2, members=2)
    sampling = Sampling(steps=2, ensemble={"members": 2}, batch_size=4)
    borrowed = Estimator.borrowing(model, sampling, "bf16")
    half = borrowed.predict(images, noise).albedo
    after = model.denoiser.unet.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    exact = Estimator.borrowing(model, sampling, "fp32").predict(images, noise).albedo
    assert torch.equal(exact, Estimator.owning(model, CPU, sampling).predict(images, noise).albedo)
    assert 0 < (half - exact).abs().max() < 0.05


def test_a_prediction_does_not_depend_on_the_batch(folder: Path) -> None:
    images, noise = inputs(16, 16, count=3, members=2)
    together = estimator(folder, steps=2, batch_size=6).predict(images, noise).albedo
    alone = estimator(folder, steps=2).predict(images[1:2], noise[1:2]).albedo
    assert torch.allclose(together[1:2], alone, atol=1e-5)


def augmented(folder: Path, members: int, images, noise, **sampling):
    ensemble = {"kind": "augmentation", "members": members}
    return estimator(folder, steps=2, ensemble=ensemble, **sampling).predict(images, noise)


def test_augmented_members_are_predictions_of_changed_images(folder: Path) -> None:
    images, noise = inputs(15, 20, count=2, members=2)
    first = estimator(folder, steps=2).predict(images, noise[:, :1]).albedo
    flipped = estimator(folder, steps=2).predict(images.flip(-1), noise[:, 1:].flip(-1)).albedo
    both = torch.stack([first, flipped.flip(-1)])
    result = augmented(folder, 2, images, noise)
    torch.testing.assert_close(result.albedo, both.mean(dim=0), atol=1e-5, rtol=0)
    torch.testing.assert_close(result.uncertainty, both.std(dim=0), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(16, 16), (15, 21), (3, 5)])
def test_all_augmentations_work_for_any_size_and_batch(folder: Path, size) -> None:
    images, noise = inputs(*size, count=3, members=8)
    together = augmented(folder, 8, images, noise, batch_size=3)
    alone = augmented(folder, 8, images[1:2], noise[1:2])
    assert together.albedo.shape == together.uncertainty.shape == images.shape
    torch.testing.assert_close(together.albedo[1:2], alone.albedo, atol=1e-5, rtol=0)
    torch.testing.assert_close(together.uncertainty[1:2], alone.uncertainty, atol=1e-5, rtol=0)


def test_a_model_that_ignores_the_noise_needs_augmentation(folder: Path) -> None:
    model = load_albedo_model(PretrainedModel(model=str(folder)))
    with torch.no_grad():
        model.denoiser.unet.conv_in.weight[:, 4:] = 0
    images, noise = inputs(16, 16, count=1, members=2)
    two = {"members": 2}
    with pytest.raises(ProjectError, match=r"ensemble\.kind .*set it to 'augmentation'"):
        Estimator.owning(model, CPU, Sampling(steps=1, ensemble=two))
    several = Sampling(steps=1, ensemble=two | {"kind": "augmentation"})
    assert Estimator.owning(model, CPU, several).predict(images, noise).uncertainty.mean() > 0
    Estimator.owning(model, CPU, Sampling(steps=1))  # one member needs none


def test_a_batch_is_filled_with_members_or_with_images(folder: Path) -> None:
    four = {"members": 4}
    assert estimator(folder, batch_size=10, ensemble=four).images_per_batch == 2
    assert estimator(folder, batch_size=2, ensemble=four).images_per_batch == 1
    changed = four | {"kind": "augmentation"}
    assert estimator(folder, batch_size=10, ensemble=changed).images_per_batch == 10


def test_more_members_than_augmentations_are_refused() -> None:
    with pytest.raises(ValueError, match=r"at most 8 members \(got 9\)"):
        Sampling(ensemble={"kind": "augmentation", "members": 9})
    with pytest.raises(ValueError, match="ensemble: "):
        Sampling.model_validate({"ensemble": 4})  # the form of earlier versions


@pytest.mark.parametrize(
    ("precision", "advice"), [("fp32", r"lower learning_rate\.peak"), ("bf16", "precision to fp32")]
)
def test_a_prediction_that_is_not_finite_is_refused(
    folder: Path, precision: str, advice: str
) -> None:
    spoilt = estimator(folder, precision, steps=1)
    torch.nn.init.constant_(spoilt.model.denoiser.unet.conv_out.bias, torch.nan)
    with pytest.raises(ProjectError, match=f"not finite.*{advice}"):
        spoilt.predict(*inputs(16, 16, count=1, members=1))
